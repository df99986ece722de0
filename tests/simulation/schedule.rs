//! One schedule: who calls and when, what is done by hand, what goes wrong; then rest, and the
//! check.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use headcount_model::fewer::FewerSeats;
use headcount_model::id::OrganizationId;
use headcount_model::reconcile::Shard;
use headcount_model::seats::SeatsEnd;
use stripe_stand_in::Status;

use crate::books::{Books, LEAD, quantities};
use crate::callers::{self, Api, Callers, History};
use crate::check::Rest;
use crate::faults::Faults;
use crate::kernel::lock;
use crate::lists::Walk;
use crate::logs::Logs;
use crate::rng::Rng;
use crate::stack::{AgencyTenant, Stack, Tenant, period};
use crate::table::number;
use crate::trace::Trace;
use crate::world::World;

/// What came of a schedule.
pub(crate) struct Outcome {
    /// Of the whole record: equal for equal runs.
    pub(crate) hash: u64,
    /// What does not hold.
    pub(crate) broken: Vec<String>,
    /// The record, where it was kept.
    pub(crate) lines: Vec<String>,
}

/// What a seed decides before anything happens.
struct Plan {
    tenants: usize,
    seat_limit: u64,
    requests: usize,
    agencies: usize,
    has_identity: bool,
    has_big: bool,
    /// How many of 1,000 requests to the Seats API give seats back, and whether that is credited.
    endings: (u64, FewerSeats),
    /// How many of 1,000 others change some.
    updates: u64,
    /// How many lists are read meanwhile.
    walks: u64,
    /// When these end, and how many times the billing period does.
    ends: (SeatsEnd, u64),
    /// How many of 1,000 requests are sent at once, and in how many microseconds all others.
    rush: (u64, u64),
    is_listening: bool,
    /// Seconds that clocks are set ahead or back, one after the other.
    clock_steps: Vec<i64>,
    edits: Vec<(u64, Edit)>,
    /// Whether reconcile-billing runs while everything goes wrong.
    reconciles_early: bool,
    /// Whether it runs at the end although nothing should be left for it.
    reconciles_late: bool,
    /// Whether it asks the table for the shards that are empty, too.
    reconciles_all: bool,
    faults: Faults,
    /// Whether Stripe is down for a while, and nothing else goes wrong.
    is_outage: bool,
}

/// What people do by hand.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// Of a tenant, one of the items.
    Quantity(usize, usize, u64),
    DeleteItem(usize, usize),
    Status(usize, Status),
    Cancel(usize),
    Poison(usize),
    LoseMessages,
    /// Of an agency.
    ParentFlag(usize, bool),
}

impl Plan {
    fn draw(rng: &mut Rng) -> Self {
        // What goes wrong between many goes wrong between few, and sooner. Some have so much to do
        // that Stripe's rate limit counts.
        let is_busy = rng.chance(50);
        let is_crowded = !is_busy && rng.chance(40);
        let tenants = if is_busy || is_crowded { 1 } else { *rng.pick(&[1, 1, 1, 2, 2, 3]) };
        let requests = match (is_busy, is_crowded) {
            (true, _) => rng.between(8, 12),
            (_, true) => rng.between(4, 8),
            _ => rng.between(1, 4),
        };
        let kind = rng.below(100);
        let has_identity = kind < 12;
        let agencies = if (12..30).contains(&kind) { *rng.pick(&[1, 1, 2]) } else { 0 };
        let clock_steps = if rng.chance(250) {
            (0..rng.between(1, 3)).map(|_| *rng.pick(&[-240, -30, -2, 1, 5, 60, 240])).collect()
        } else {
            Vec::new()
        };
        let mut faults = Faults::draw(rng);
        let is_outage = rng.chance(60);
        if is_outage {
            faults = Faults { stripe: 1_000, until: faults.until, ..Faults::default() };
        } else if is_crowded {
            faults = Faults::meetings();
        }
        let edits = (0..if rng.chance(140) { rng.between(1, 3) } else { 0 })
            .map(|_| (rng.between(0, 8_000_000), Edit::draw(rng, tenants, agencies)))
            .collect();
        Self {
            tenants,
            seat_limit: if rng.chance(100) { rng.between(2, 8) } else { 100_000 },
            requests: usize::try_from(requests).expect("few"),
            agencies,
            has_identity,
            has_big: rng.chance(10),
            endings: (
                if rng.chance(500) { 500 } else { 0 },
                if rng.chance(200) { FewerSeats::Credit } else { FewerSeats::None },
            ),
            updates: if rng.chance(300) { 400 } else { 0 },
            walks: if rng.chance(150) { rng.between(1, 2) } else { 0 },
            ends: match rng.below(10) {
                0 | 1 => (SeatsEnd::PeriodEnd, 1),
                2 => (SeatsEnd::PeriodEnd, 2),
                _ => (SeatsEnd::AtOnce, 0),
            },
            rush: match (is_busy, is_crowded) {
                (true, _) => (500, 20_000_000),
                (_, true) => (100, 4_000_000),
                _ => (500, 6_000_000),
            },
            is_listening: rng.chance(300),
            clock_steps,
            edits,
            reconciles_early: rng.chance(40),
            reconciles_late: rng.chance(40),
            reconciles_all: rng.chance(10),
            faults,
            is_outage,
        }
    }

    /// Which API a request goes to.
    fn api(&self, rng: &mut Rng) -> Api {
        if self.has_identity && rng.chance(600) {
            if rng.chance(500) { Api::Own } else { Api::Identity }
        } else if self.agencies > 0 && rng.chance(600) {
            Api::Agency(one_of(rng, self.agencies))
        } else if rng.chance(self.endings.0) {
            Api::Endings(one_of(rng, self.tenants))
        } else if rng.chance(self.updates) {
            Api::Updates(one_of(rng, self.tenants))
        } else {
            Api::Seats(one_of(rng, self.tenants))
        }
    }
}

/// The position of one of so many.
fn one_of(rng: &mut Rng, count: usize) -> usize {
    usize::try_from(rng.below(count as u64)).expect("few")
}

impl Edit {
    fn draw(rng: &mut Rng, tenants: usize, agencies: usize) -> Self {
        let (tenant, item) = (one_of(rng, tenants), one_of(rng, 2));
        if agencies > 0 && rng.chance(600) {
            return Edit::ParentFlag(one_of(rng, agencies), rng.chance(300));
        }
        match rng.below(10) {
            0 | 1 => Edit::Quantity(tenant, item, rng.below(9)),
            2 | 3 => Edit::DeleteItem(tenant, item),
            4 | 5 => {
                let status = *rng.pick(&[Status::PastDue, Status::Unpaid, Status::Active]);
                Edit::Status(tenant, status)
            }
            6 => Edit::Cancel(tenant),
            7 => Edit::LoseMessages,
            _ => Edit::Poison(tenant),
        }
    }

    fn is_of_status(self) -> bool {
        matches!(self, Edit::Status(..) | Edit::Cancel(_))
    }
}

/// Runs the schedule of a seed. What panics is broken too.
pub(crate) fn run(seed: u64, trace: Trace) -> Outcome {
    // What the SDK makes once in a process it makes with draws from the source that its pauses come from, so
    // that the first schedule of a process would be another than the same one later.
    static FIRST: Once = Once::new();
    FIRST.call_once(|| drop(run_one(0, Trace::default())));
    run_one(seed, trace)
}

fn run_one(seed: u64, trace: Trace) -> Outcome {
    let world = World::new(seed, trace);
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| carry_out(seed, &world)));
    if let Err(panic) = ran {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        world.panicked(text.unwrap_or_default());
    }
    let (broken, trace) = (world.all_broken(), world.take_trace());
    Outcome { hash: trace.hash(), broken, lines: trace.lines().to_vec() }
}

fn carry_out(seed: u64, world: &World) {
    // The SDK draws the pauses between its retries and its tokens from this source.
    fastrand::seed(seed);
    let plan = world.kernel.draw(Plan::draw);
    // To look for secrets takes time, which a few schedules are enough for.
    let (logs, _guard) = seed.is_multiple_of(16).then(Logs::capture).unzip();
    let run = Run::set_up(world, plan, logs);
    run.live();
    run.come_to_rest();
    run.stack.disconnect();
}

/// A schedule that is being carried out.
struct Run {
    world: World,
    stack: Stack,
    plan: Plan,
    tenants: Arc<Vec<Tenant>>,
    agencies: Arc<Vec<AgencyTenant>>,
    books: Books,
    history: History,
    logs: Option<Logs>,
}

impl Run {
    fn set_up(world: &World, plan: Plan, logs: Option<Logs>) -> Self {
        let stack = Stack::new(world);
        let made: Arc<Mutex<(Vec<Tenant>, Vec<AgencyTenant>)>> = Arc::default();
        let (count, limit, agencies) = (plan.tenants, plan.seat_limit, plan.agencies);
        let settings = (plan.endings.1, plan.ends.0);
        let (maker, slot) = (stack.clone(), Arc::clone(&made));
        world.kernel.spawn("set-up", async move {
            for _ in 0..count {
                let tenant = maker.tenant(limit, settings).await;
                lock(&slot).0.push(tenant);
            }
            for _ in 0..agencies {
                let agency = maker.agency().await;
                lock(&slot).1.push(agency);
            }
        });
        world.kernel.run().expect("tenants are made");
        let (tenants, agencies) = std::mem::take(&mut *lock(&made));
        let books = Books::new(world, &stack.account, &tenants, &agencies);
        let (commits, bills) = (books.clone(), books.clone());
        stack.connect(
            plan.is_listening,
            move |records| commits.commit(records),
            move |key, before, after| bills.billed(key, before, after),
        );
        let (tenants, agencies) = (Arc::new(tenants), Arc::new(agencies));
        let history = History::default();
        Self { world: world.clone(), stack, plan, tenants, agencies, books, history, logs }
    }

    /// Lets everything happen that the plan says.
    fn live(&self) {
        let mut faults = self.plan.faults.clone();
        faults.until += self.world.kernel.now();
        self.world.set_faults(faults);
        self.begin_requests();
        self.begin_walks();
        self.begin_edits();
        self.begin_clock_steps();
        if self.plan.reconciles_early {
            let (stack, shards) = (self.stack.clone(), self.shards());
            self.world.kernel.spawn("schedule", async move {
                let wait = stack.world.kernel.draw(|rng| rng.between(0, 200_000_000));
                stack.world.kernel.sleep_micros(wait).await;
                stack.reconcile(shards).await;
            });
        }
        self.rest();
    }

    /// The shards that reconcile-billing asks the table for.
    fn shards(&self) -> BTreeSet<Shard> {
        if self.plan.reconciles_all {
            return Shard::all().collect();
        }
        self.tenants.iter().map(|tenant| Shard::of(&tenant.organization)).collect()
    }

    fn callers(&self) -> Callers {
        Callers {
            stack: self.stack.clone(),
            tenants: Arc::clone(&self.tenants),
            agencies: Arc::clone(&self.agencies),
            history: self.history.clone(),
            books: self.books.clone(),
        }
    }

    fn begin_requests(&self) {
        let callers = self.callers();
        for number in 0..self.plan.requests {
            let earlier = self.history.keys();
            let (request, wait, senders) = self.world.kernel.draw(|rng| {
                let api = self.plan.api(rng);
                let is_big = self.plan.has_big && rng.chance(400);
                let request = callers::draw(rng, number, api, &self.agencies, is_big, &earlier);
                let (at_once, rush) = self.plan.rush;
                let wait = if rng.chance(at_once) { 0 } else { rng.between(0, rush) };
                // Before there are seats, none can be given back.
                let is_late = matches!(api, Api::Endings(_) | Api::Updates(_) | Api::Own);
                let late = if is_late { rng.between(0, 2 * rush) } else { 0 };
                // Who comes to one account mostly comes at once.
                let wait = wait + if api == Api::Own && rng.chance(700) { rush } else { late };
                (request, wait, if rng.chance(150) { 2 } else { 1 })
            });
            callers.begin(request, wait, senders);
        }
    }

    fn begin_walks(&self) {
        for _ in 0..self.plan.walks {
            let callers = self.callers();
            let (walk, wait) = self.world.kernel.draw(|rng| {
                let tag = format!("r{}", one_of(rng, self.plan.requests));
                let walk = Walk {
                    tenant: one_of(rng, self.plan.tenants),
                    limit: if rng.chance(800) { rng.between(1, 4) } else { 50 },
                    tag: rng.chance(200).then_some(tag),
                };
                (walk, rng.between(0, 3 * self.plan.rush.1))
            });
            self.world.kernel.spawn("reader", async move {
                callers.stack.world.kernel.sleep_micros(wait).await;
                callers.walk(walk).await;
            });
        }
    }

    fn begin_edits(&self) {
        for &(at, edit) in &self.plan.edits {
            let (stack, tenants) = (self.stack.clone(), Arc::clone(&self.tenants));
            let agencies = Arc::clone(&self.agencies);
            self.world.kernel.spawn("by-hand", async move {
                stack.world.kernel.sleep_micros(at).await;
                stack.world.note(format_args!("{edit:?}"));
                make(edit, &stack, &tenants, &agencies);
            });
        }
    }

    fn begin_clock_steps(&self) {
        let (world, steps) = (self.world.clone(), self.plan.clock_steps.clone());
        self.world.kernel.spawn("clocks", async move {
            for seconds in steps {
                let wait = world.kernel.draw(|rng| rng.between(100_000, 20_000_000));
                world.kernel.sleep_micros(wait).await;
                world.note(format_args!("clocks are {seconds} s ahead"));
                world.set_clocks(seconds * 1_000_000);
            }
        });
    }

    fn rest(&self) {
        if self.world.kernel.run().is_err() {
            self.world.broken(5, "the schedule does not come to rest");
        }
    }

    /// Ends what goes wrong and lets everything be delivered. What has to be true without a
    /// comparison is looked at before there is one.
    fn come_to_rest(&self) {
        self.world.heal();
        self.world.set_clocks(0);
        self.rest();
        if !self.needs_comparison() {
            self.check(true);
            self.look(|rest| rest.check_money());
            if self.plan.reconciles_late {
                self.stack.findings.take();
                self.compare();
                if let Some(finding) = self.stack.findings.take().first() {
                    self.world.broken(12, format_args!("nothing differs, but found: {finding:?}"));
                }
            }
            if self.plan.endings.0 > 0 {
                (0..self.plan.ends.1).for_each(|_| self.pass_a_period());
            }
            return;
        }
        self.check(false);
        if self.plan.is_listening && self.stack.is_all_heard() {
            self.look(|rest| rest.check_standing());
        }
        self.stack.queue.redrive();
        self.rest();
        let drifted = self.drifted();
        self.stack.findings.take();
        self.compare();
        let findings = self.stack.findings.take();
        for organization in drifted {
            if !findings.iter().any(|finding| finding.organization == organization) {
                self.world.broken(12, format_args!("{organization} was healed and not told of"));
            }
        }
        self.check(true);
        self.look(|rest| rest.check_standing());
    }

    /// Lets the period of all organizations end, and the next one begin. Callers give seats back and
    /// change their minds until then; things go wrong until some minutes after the seats' time.
    fn pass_a_period(&self) {
        let kernel = &self.world.kernel;
        let ends = self
            .tenants
            .iter()
            .map(|tenant| period(&self.stack.account.subscription(&tenant.subscription)).end);
        let ends: Vec<_> = ends.collect();
        let (Some(first), Some(last)) = (ends.iter().min(), ends.iter().max()) else { return };
        let micros = |second: i64| {
            let left = u64::try_from(second - self.world.true_seconds()).unwrap_or(0);
            left * 1_000_000
        };
        let due = micros(first - LEAD);
        let mut faults = self.plan.faults.clone();
        faults.until = kernel.now() + due + 300_000_000;
        self.world.set_faults(faults);
        self.begin_late_requests(due);
        for wait in [
            due.saturating_sub(7_200_000_000),
            due + kernel.draw(|rng| rng.between(0, 120_000_000)),
        ] {
            let (stack, shards) = (self.stack.clone(), self.shards());
            kernel.spawn("schedule", async move {
                stack.world.kernel.sleep_micros(wait).await;
                stack.reconcile(shards).await;
            });
        }
        self.rest();
        self.world.heal();
        self.stack.queue.redrive();
        self.stack.findings.take();
        self.compare();
        self.check(true);
        self.sleep_until(last + 3_600);
        self.books.check_ended(&self.stack.dynamo.items(), *last);
        for tenant in self.tenants.iter() {
            let billed = quantities(&self.stack.account.subscription(&tenant.subscription));
            let there = self.books.seats(tenant.organization.as_str());
            if billed != there {
                let organization = &tenant.organization;
                self.world.broken(
                    5,
                    format_args!("{organization} is billed for {billed:?} of {there:?} anew"),
                );
            }
        }
        // Now it hears of the new period.
        self.compare();
        self.check(true);
        let late = |finding: &&reconcile_billing::Finding| finding.drift.kind() == "ended_late";
        if let Some(finding) = self.stack.findings.take().iter().find(late) {
            self.world.broken(12, format_args!("it was in time, but found: {finding:?}"));
        }
    }

    /// Some give seats back in the course of a period, or change their minds, half of them when the
    /// seats' time comes, `due` microseconds from now.
    fn begin_late_requests(&self, due: u64) {
        let callers = self.callers();
        let count = self.world.kernel.draw(|rng| rng.between(1, 4));
        for _ in 0..count {
            let earlier = self.history.keys();
            let (request, wait, senders) = self.world.kernel.draw(|rng| {
                let api = Api::Endings(one_of(rng, self.plan.tenants));
                let request =
                    callers::draw(rng, earlier.len(), api, &self.agencies, false, &earlier);
                let wait = if rng.chance(500) {
                    rng.between(0, due)
                } else {
                    (due + rng.between(0, 150_000_000)).saturating_sub(30_000_000)
                };
                (request, wait, if rng.chance(150) { 2 } else { 1 })
            });
            callers.begin(request, wait, senders);
        }
    }

    /// Lets time pass until a true time, in Unix seconds.
    fn sleep_until(&self, second: i64) {
        let left = second - self.world.true_seconds();
        let (kernel, left) = (self.world.kernel.clone(), u64::try_from(left).unwrap_or(0));
        self.world.kernel.spawn("time", async move {
            kernel.sleep(Duration::from_secs(left)).await;
        });
        self.rest();
    }

    /// The organizations whose record says that Stripe is in step, and Stripe is not.
    fn drifted(&self) -> Vec<OrganizationId> {
        let is_drifted = |tenant: &&Tenant| {
            let pk = format!("ORG#{}", tenant.organization);
            let record = self.stack.dynamo.item(&pk, "BILLING").unwrap_or_default();
            let subscription = self.stack.account.subscription(&tenant.subscription);
            number(&record, "version") == number(&record, "applied_version")
                && subscription["status"] != "canceled"
                && quantities(&subscription) != self.books.seats(tenant.organization.as_str())
        };
        let drifted = self.tenants.iter().filter(is_drifted);
        drifted.map(|tenant| tenant.organization.clone()).collect()
    }

    /// Whether something was lost or changed by hand that only a comparison finds.
    fn needs_comparison(&self) -> bool {
        let has_edit =
            self.plan.edits.iter().any(|(_, edit)| !matches!(edit, Edit::ParentFlag(..)));
        has_edit || self.stack.queue.ever_dead() > 0
    }

    /// Runs reconcile-billing, as the schedule does, until it finds nothing any more. What failed for
    /// good it leaves alone for an hour.
    fn compare(&self) {
        for minutes in [5, 5, 5, 60, 5, 5] {
            let quiet: Arc<Mutex<bool>> = Arc::default();
            let (stack, slot) = (self.stack.clone(), Arc::clone(&quiet));
            let shards = self.shards();
            self.world.kernel.spawn("schedule", async move {
                stack.world.kernel.sleep(Duration::from_mins(minutes)).await;
                // One that begins in the middle says nothing about what comes before.
                let is_whole = !stack.is_under_way();
                let report = stack.reconcile(shards).await;
                *lock(&slot) = is_whole
                    && report.is_some_and(|report| {
                        report.drifts + report.behind + report.moving + report.republished == 0
                            && report.ended == reconcile_billing::Ended::Complete
                    });
            });
            self.rest();
            if *lock(&quiet) {
                return;
            }
        }
    }

    fn check(&self, is_billing_due: bool) {
        self.look(|rest| {
            if is_billing_due {
                rest.check_billing();
            }
            rest.check();
        });
    }

    fn look(&self, look: impl FnOnce(&Rest<'_>)) {
        let edits = || self.plan.edits.iter().map(|(_, edit)| *edit);
        let (items, logs) = (self.stack.dynamo.items(), self.logs.as_ref().map(Logs::text));
        let tokens = self.history.tokens();
        self.history.look(|requests| {
            look(&Rest {
                stack: &self.stack,
                tenants: &self.tenants,
                agencies: &self.agencies,
                books: &self.books,
                requests,
                tokens: &tokens,
                items: &items,
                logs: logs.as_deref(),
                statuses_changed: edits().any(Edit::is_of_status),
                is_all_heard: !self.needs_comparison(),
                corrects: self.plan.reconciles_early || self.plan.reconciles_late,
                limits_are_low: self.plan.seat_limit < 100_000,
                is_outage: self.plan.is_outage,
                parents_changed: edits().any(|edit| matches!(edit, Edit::ParentFlag(..))),
            })
        });
    }
}

/// Does something by hand, as far as Stripe lets it be done.
fn make(edit: Edit, stack: &Stack, tenants: &[Tenant], agencies: &[AgencyTenant]) {
    let account = &stack.account;
    let item = |tenant: &Tenant, item: usize| {
        let subscription = account.subscription(&tenant.subscription);
        let item = subscription["items"]["data"][item]["id"].as_str();
        format!("/v1/subscription_items/{}", item.unwrap_or("si_none"))
    };
    match edit {
        Edit::Quantity(tenant, at, quantity) => {
            let quantity = quantity.to_string();
            account.try_by_hand("POST", &item(&tenants[tenant], at), &[("quantity", &quantity)]);
        }
        Edit::DeleteItem(tenant, at) => {
            account.try_by_hand("DELETE", &item(&tenants[tenant], at), &[]);
        }
        Edit::Status(tenant, status) => {
            let subscription = &tenants[tenant].subscription;
            // A subscription that was canceled stays so.
            if account.subscription(subscription)["status"] != "canceled" {
                account.set_status(subscription, status);
            }
        }
        Edit::Cancel(tenant) => {
            let path = format!("/v1/subscriptions/{}", tenants[tenant].subscription);
            account.try_by_hand("DELETE", &path, &[]);
        }
        Edit::Poison(tenant) => {
            let group = tenants[tenant].organization.as_str();
            stack.queue.put(group, "poison", "{}");
        }
        Edit::LoseMessages => stack.queue.lose(),
        Edit::ParentFlag(agency, is_parent) => {
            let agency = &agencies[agency];
            let (pk, sk) =
                (format!("AGENCY#{}", agency.lcuid), format!("ACCOUNT#{}", agency.parent));
            stack.dynamo.set(
                &pk,
                &sk,
                "is_parent_account",
                &serde_json::json!({"BOOL": is_parent}),
            );
        }
    }
}
