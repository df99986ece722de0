//! The command line as a whole: what there is to say, and what becomes of it.

use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use headcount_model::fault::Rule;
use headcount_model::text::Text;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;

use crate::failure::Failure;
use crate::report::{Format, Report};
use crate::target::{Target, TargetOptions};
use crate::{account, agency, audit, billing, credential, demo, organization, prices, webhook};

/// The operator's command line of Headcount.
///
/// It works on the table of a stack with ordinary AWS credentials: the standard variables
/// (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on) count. Commands that speak to
/// Stripe take the key from STRIPE_API_KEY; it is no option, because other users of the machine
/// can read the arguments of a program.
#[derive(Parser)]
#[command(name = "headcount", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// How results are written to standard output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Subcommand)]
enum Command {
    /// What Stripe must hold before anything can be billed.
    #[command(subcommand)]
    Stripe(prices::Command),
    /// Organizations of the Seats API.
    #[command(subcommand)]
    Org(organization::Command),
    /// The queues through which seats are billed.
    #[command(subcommand)]
    Billing(billing::Command),
    /// API keys of organizations.
    #[command(subcommand)]
    ApiKey(credential::ApiKeyCommand),
    /// Agencies of the Agency API.
    #[command(subcommand)]
    Agency(agency::AgencyCommand),
    /// Apps, which hold tokens of the Agency API.
    #[command(subcommand)]
    App(agency::AppCommand),
    /// Tokens of apps.
    #[command(subcommand)]
    Token(credential::TokenCommand),
    /// Accounts of agencies.
    #[command(subcommand)]
    AgencyAccount(agency::AccountCommand),
    /// Accounts of the Identity API.
    #[command(subcommand)]
    Account(account::Command),
    /// Tokens of administrators of the Identity API.
    #[command(subcommand)]
    AdminToken(credential::AdminTokenCommand),
    /// Credentials of any kind.
    #[command(subcommand)]
    Credential(credential::Command),
    /// Who created, changed and deleted what, the newest first.
    Audit(audit::Audit),
    /// The demo tenants of a local stack.
    #[command(subcommand)]
    Demo(demo::Command),
    /// Webhooks of Stripe.
    #[command(subcommand)]
    Webhook(webhook::Command),
}

impl Command {
    async fn run(self, target: &Target) -> Result<Report, Failure> {
        match self {
            Command::Stripe(command) => command.run(target).await,
            Command::Org(command) => command.run(target).await,
            Command::Billing(command) => command.run(target).await,
            Command::ApiKey(command) => command.run(target).await,
            Command::Agency(command) => command.run(target).await,
            Command::App(command) => command.run(target).await,
            Command::Token(command) => command.run(target).await,
            Command::AgencyAccount(command) => command.run(target).await,
            Command::Account(command) => command.run(target).await,
            Command::AdminToken(command) => command.run(target).await,
            Command::Credential(command) => command.run(target).await,
            Command::Audit(command) => command.run(target).await,
            Command::Demo(command) => command.run(target).await,
            Command::Webhook(command) => command.run(),
        }
    }
}

/// Reads a name, 1 to 255 characters in one line.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn name(raw: &str) -> Result<Text, String> {
    Text::line(raw, 1..=255).map_err(|rule| match rule {
        Rule::ForbiddenCharacter(bad) => {
            format!("it holds U+{:04X}, which hides or reorders text", u32::from(bad))
        }
        _ => "a name has 1 to 255 characters".to_owned(),
    })
}

/// Does what the arguments of the process say.
///
/// Exit codes: 0 done, 1 failed, 2 the arguments make no sense.
pub(crate) async fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    log_to_stderr();
    match run(&matches).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(matches: &clap::ArgMatches) -> Result<(), Failure> {
    let Cli { options, command } =
        Cli::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let target = Target::new(options.target.checked(matches)?)?;
    let report = command.run(&target).await?;
    report.write(options.output, &mut io::stdout().lock()).map_err(Failure::unwritten)
}

/// How much of a log field is shown, in bytes.
const LOG_FIELD_LENGTH: usize = 400;

/// The store tells the cause of a failure in its log only. There the AWS SDK names the cause
/// first and then shows its own insides, which say nothing to an operator.
fn log_to_stderr() {
    let fields = debug_fn(|out, field, value| {
        let text = format!("{value:?}");
        let end = text.floor_char_boundary(LOG_FIELD_LENGTH);
        let more = if end < text.len() { "…" } else { "" };
        match field.name() {
            "message" => write!(out, "{}{more}", &text[..end]),
            name => write!(out, "{name}={}{more}", &text[..end]),
        }
    });
    tracing_subscriber::fmt()
        .fmt_fields(fields.delimited(" "))
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    const ORG: &str = "org_01k6z3v8m4t5q7r9w2x1y0abcd";
    const AGENCY: &str = "LCUID-LY-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";
    const ACCOUNT: &str = "LCUID-LA-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";
    const APP: &str = "LCUID-LAP-60f1bc3d-4172-45ad-be4d-1dcbfce926ef";

    fn parse(line: &str) -> Result<Cli, ErrorKind> {
        let arguments = std::iter::once("headcount").chain(line.split(' '));
        Cli::try_parse_from(arguments).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_documented_command_is_understood() {
        for line in [
            "stripe setup",
            "stripe setup --basic-cents 4500 --premium-cents 0",
            "org create --name Studio --seat-limit 5 --spending-limit none",
            "org create --name Studio --with-billing --seat-limit 5 --spending-limit 50000",
            &format!("org create --name Studio --subscription sub_1 --org-id {ORG}"),
            &format!("org show {ORG}"),
            "billing redrive",
            "billing compare",
            &format!("billing explain {ORG}"),
            &format!("billing explain {ORG} --limit 1000 --output json"),
            &format!("audit --org {ORG}"),
            &format!("audit --agency {AGENCY} --since 2026-11-30 --limit 1000"),
            "audit --account acct_01k6z3v8m4t5q7r9w2x1y0abcd --since 2026-11-30T08:00:00Z",
            &format!("billing compare --raise-versions --lower {ORG} --lower {ORG}"),
            "billing redrive --max 5 --billing-queue-url https://q --billing-dlq-url https://d",
            &format!("org set-limit {ORG} --seats 0"),
            &format!("org set-limit {ORG} --seats 5 --monthly-cents 100000"),
            &format!("org set-limit {ORG} --monthly-cents none"),
            &format!("org set-proration {ORG} always_invoice"),
            &format!("org set-fewer-seats {ORG} credit"),
            &format!("org set-seats-end {ORG} period_end"),
            &format!("api-key create --org {ORG} --permission billing:read"),
            &format!("api-key create --org {ORG} --permission accounts:create"),
            &format!(
                "api-key create --org {ORG} --permission accounts:create \
                 --permission agency.createAccounts --expires-in-days 30"
            ),
            "agency create --name Agency",
            &format!("app create --agency {AGENCY} --name App"),
            &format!("token create --app {APP} --agency {AGENCY}"),
            &format!(
                "token create --app {APP} --agency {AGENCY} --permission agency.createAccounts"
            ),
            &format!("agency-account create --agency {AGENCY} --name Account --parent"),
            &format!(
                "agency-account set-parent --agency {AGENCY} --account {ACCOUNT} --parent true"
            ),
            "account list-older",
            "admin-token create --permission accounts:create",
            "credential revoke 01k6z3v8m4t5q7r9w2x1y0abcd",
            "demo seed tools/local/demo-tenants.json",
            "webhook sign --secret whsec_1 event.json",
            "webhook sign --secret whsec_1,whsec_2 --at 1790000000 --subscription sub_1 event.json",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn general_options_go_before_or_behind_the_command() {
        for line in [
            "--output json --table t agency create --name A",
            "agency create --name A --output json --table t",
        ] {
            let cli = parse(line).expect("valid");
            assert_eq!(cli.options.output, Format::Json, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, kind) in [
            ("org", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ("org create", ErrorKind::MissingRequiredArgument),
            ("org create --name A", ErrorKind::MissingRequiredArgument),
            ("org create --name A --seat-limit 5", ErrorKind::MissingRequiredArgument),
            ("org create --name A --spending-limit none", ErrorKind::MissingRequiredArgument),
            (
                "org create --name A --seat-limit none --spending-limit none",
                ErrorKind::ValueValidation,
            ),
            (
                "org create --name A --with-billing --subscription sub_1",
                ErrorKind::ArgumentConflict,
            ),
            ("org create --name A --subscription cus_1", ErrorKind::ValueValidation),
            ("org create --name A --subscription sub_1/../x", ErrorKind::ValueValidation),
            ("org create --name \u{202e}A", ErrorKind::ValueValidation),
            ("org create --name A --seat-limit -1", ErrorKind::UnknownArgument),
            ("org show acc_1", ErrorKind::ValueValidation),
            ("billing redrive --max 0", ErrorKind::ValueValidation),
            ("billing explain", ErrorKind::MissingRequiredArgument),
            ("audit", ErrorKind::MissingRequiredArgument),
            (&format!("audit --org {ORG} --agency {AGENCY}"), ErrorKind::ArgumentConflict),
            (&format!("audit --org {ORG} --since today"), ErrorKind::ValueValidation),
            (&format!("billing explain {ORG} --limit 0"), ErrorKind::ValueValidation),
            (&format!("billing explain {ORG} --limit 1001"), ErrorKind::ValueValidation),
            (&format!("billing compare --lower {ORG}"), ErrorKind::MissingRequiredArgument),
            (&format!("org set-limit {ORG}"), ErrorKind::MissingRequiredArgument),
            (&format!("org set-limit {ORG} --monthly-cents all"), ErrorKind::ValueValidation),
            (&format!("org set-limit {ORG} --seats none"), ErrorKind::ValueValidation),
            (&format!("org set-proration {ORG} later"), ErrorKind::ValueValidation),
            ("api-key create --org org_1 --permission accounts:create", ErrorKind::ValueValidation),
            ("admin-token create --permission everything", ErrorKind::ValueValidation),
            ("admin-token create", ErrorKind::MissingRequiredArgument),
            (
                "admin-token create --permission accounts:create --expires-in-days 0",
                ErrorKind::ValueValidation,
            ),
            ("credential revoke nothing", ErrorKind::ValueValidation),
            ("stripe setup --stripe-api-key x", ErrorKind::UnknownArgument),
            ("demo seed", ErrorKind::MissingRequiredArgument),
            ("webhook sign event.json", ErrorKind::MissingRequiredArgument),
            ("webhook sign --secret sk_test_1 event.json", ErrorKind::ValueValidation),
            ("webhook sign --secret whsec_1 --at now event.json", ErrorKind::ValueValidation),
        ] {
            assert_eq!(parse(line).err(), Some(kind), "{line}");
        }
    }
}
