//! The state file: JSON lines. The first is a whole account, each of the others what one moment
//! changed, so that a change costs what it changes and not what the account holds.
//!
//! The whole is written beside the file and renamed over it, so that a kill leaves the old or the
//! new one. A kill in the middle of an appended line leaves one without its end, which is not read:
//! the call that it belongs to was never answered.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::state::State;

/// Reads a state file; one that does not exist is an empty account.
pub(crate) fn load(path: &Path) -> io::Result<State> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(error),
    };
    let mut state = State::default();
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        let torn = lines.peek().is_none() && !line.ends_with(b"\n");
        if torn && !first {
            break;
        }
        state.absorb(serde_json::from_slice(line).map_err(|error| {
            let message = format!("{} is not a state file: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?);
        first = false;
    }
    // Nothing in it is news to the file.
    state.take_changes();
    Ok(state)
}

/// One line of the file.
pub(crate) fn line(state: &State) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(state)?;
    line.push(b'\n');
    Ok(line)
}

/// Replaces the file by a whole account in one step.
pub(crate) fn replace(path: &Path, whole: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    fs::write(&fresh, whole)?;
    fs::rename(&fresh, path)
}

/// Adds a line of changes.
pub(crate) fn append(path: &Path, changes: &[u8]) -> io::Result<()> {
    File::options().append(true).open(path)?.write_all(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{messages::Request, stripe::Stripe};

    fn file(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory.join("state.json")
    }

    fn json(state: &State) -> serde_json::Value {
        serde_json::to_value(state).unwrap()
    }

    #[test]
    fn the_lines_add_up_to_the_account_and_a_torn_one_is_dropped() {
        let path = file("stripe-stand-in-lines");
        let mut stripe = Stripe::new();
        replace(&path, &line(&stripe.state).unwrap()).unwrap();
        let mut call = |path_and_form: (&str, &str)| {
            let (path, form) = path_and_form;
            let request = Request::new("POST", path).form(form).idempotency_key(form);
            assert_eq!(stripe.handle(request, 1_000).status, 200);
        };
        call(("/v1/customers", "name=a"));
        call(("/v1/products", "name=p&id=seat"));
        call(("/v1/prices", "currency=usd&unit_amount=5&product=seat&recurring[interval]=day"));
        let customer = stripe.state.customers.iter().next().unwrap();
        let (customer, price) = (
            customer.view()["id"].as_str().unwrap().to_owned(),
            stripe.state.prices.iter().next().unwrap().view()["id"].as_str().unwrap().to_owned(),
        );
        append(&path, &line(&stripe.state.take_changes()).unwrap()).unwrap();
        let form = format!("customer={customer}&items[0][price]={price}");
        let request = Request::new("POST", "/v1/subscriptions").form(form);
        assert_eq!(stripe.handle(request, 1_000).status, 200);
        append(&path, &line(&stripe.state.take_changes()).unwrap()).unwrap();
        // A change of what is known, by time alone.
        stripe.advance(1_000 + 200_000);
        let before = fs::metadata(&path).unwrap().len();
        append(&path, &line(&stripe.state.take_changes()).unwrap()).unwrap();
        assert!(fs::metadata(&path).unwrap().len() > before);
        assert_eq!(json(&load(&path).unwrap()), json(&stripe.state));

        append(&path, b"{\"customers\":[{\"id\"").unwrap();
        assert_eq!(json(&load(&path).unwrap()), json(&stripe.state));

        stripe.reset();
        replace(&path, &line(&stripe.state).unwrap()).unwrap();
        assert_eq!(json(&load(&path).unwrap())["customers"], serde_json::json!([]));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_reset_is_a_line_too() {
        let path = file("stripe-stand-in-reset");
        let mut stripe = Stripe::new();
        stripe.handle(Request::new("POST", "/v1/customers"), 1);
        replace(&path, &line(&stripe.state).unwrap()).unwrap();
        stripe.reset();
        append(&path, &line(&stripe.state.take_changes()).unwrap()).unwrap();
        assert_eq!(json(&load(&path).unwrap()), json(&State::default()));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
