//! The shape of the workspace: which crate may know which, and that functions, packages,
//! binaries and the template's resources go by one name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use headcount_tests::runbook;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_owned()
}

/// The workspace as it is built on this machine: what other platforms need is not downloaded.
fn metadata() -> Metadata {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let rustc = String::from_utf8(rustc.stdout).expect("text");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let options = ["--locked", "--offline", "--filter-platform", host];
    MetadataCommand::new()
        .current_dir(root())
        .other_options(options.map(str::to_owned))
        .exec()
        .expect("cargo describes the workspace")
}

/// The packages of the workspace whose folder lies in `folder`, by folder name.
fn packages_in<'m>(metadata: &'m Metadata, folder: &str) -> BTreeMap<String, &'m Package> {
    metadata
        .workspace_packages()
        .into_iter()
        .filter_map(|package| {
            let own = package.manifest_path.parent()?;
            let is_in = own.parent()?.as_std_path() == root().join(folder);
            is_in.then(|| (own.file_name().unwrap_or_default().to_owned(), package))
        })
        .collect()
}

/// The names of what a package needs to be built, tests left out.
fn needs(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

/// Everything that ends up in the binary of a package.
fn links(metadata: &Metadata, package: &Package) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![&package.id];
    while let Some(id) = open.pop() {
        let name = metadata[id].name.to_string();
        if !found.insert(name) {
            continue;
        }
        let normal = nodes[id].deps.iter().filter(|dependency| {
            let mut kinds = dependency.dep_kinds.iter();
            kinds.any(|kind| kind.kind == DependencyKind::Normal)
        });
        open.extend(normal.map(|dependency| &dependency.pkg));
    }
    found
}

#[test]
fn the_arrows_between_crates_go_one_way() {
    let metadata = metadata();
    let shared = packages_in(&metadata, "shared");
    let ours: BTreeSet<&str> =
        metadata.workspace_packages().into_iter().map(|package| package.name.as_str()).collect();
    let ours_in = |package: &Package| -> BTreeSet<String> {
        needs(package).into_iter().filter(|name| ours.contains(name)).map(str::to_owned).collect()
    };
    let model = BTreeSet::from(["headcount-model".to_owned()]);
    let folders: Vec<_> = shared.keys().map(String::as_str).collect();
    assert_eq!(folders, ["api", "billing", "model", "platform", "store"]);
    assert_eq!(ours_in(shared["model"]), BTreeSet::new());
    for adapter in ["api", "billing", "platform", "store"] {
        assert_eq!(ours_in(shared[adapter]), model, "adapters never know each other");
    }
    for (folder, function) in packages_in(&metadata, "functions") {
        let foreign: Vec<_> = ours_in(function)
            .into_iter()
            .filter(|name| !name.starts_with("headcount-") || name == "headcount-tests")
            .collect();
        assert!(foreign.is_empty(), "{folder} needs {foreign:?}");
    }
}

#[test]
fn the_model_is_pure() {
    let metadata = metadata();
    let model = packages_in(&metadata, "shared")["model"];
    let linked = links(&metadata, model);
    for impure in ["serde_json", "tokio", "hyper", "aws-config", "aws-smithy-types", "lambda_http"]
    {
        assert!(!linked.contains(impure), "the model links {impure}");
    }
}

#[test]
fn the_request_path_links_neither_queue_nor_stripe() {
    let metadata = metadata();
    let functions = packages_in(&metadata, "functions");
    let creates: Vec<_> =
        functions.iter().filter(|(name, _)| name.starts_with("create-")).collect();
    assert_eq!(creates.len(), 4);
    for (name, function) in creates {
        let linked = links(&metadata, function);
        for heavy in ["aws-sdk-sqs", "aws-sdk-eventbridge", "reqwest", "headcount-billing"] {
            assert!(!linked.contains(heavy), "{name} links {heavy}");
        }
    }
}

/// `create-seats` becomes `CreateSeatsFunction`.
fn resource_name(folder: &str) -> String {
    let pascal = folder.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    pascal.collect::<String>() + "Function"
}

/// The functions of the template: resource name and `CodeUri`.
fn template_functions() -> BTreeMap<String, String> {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let mut functions = BTreeMap::new();
    let mut resource = "";
    let mut is_function = false;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if indent == 2 && line.ends_with(':') {
            resource = line.trim_end_matches(':');
            is_function = false;
        } else if indent == 4 && line.starts_with("Type:") {
            is_function = line == "Type: AWS::Serverless::Function";
        } else if let Some(uri) = line.strip_prefix("CodeUri: ")
            && is_function
        {
            functions.insert(resource.to_owned(), uri.to_owned());
        }
    }
    functions
}

#[test]
fn folder_package_binary_and_template_resource_share_one_name() {
    let metadata = metadata();
    let functions = packages_in(&metadata, "functions");
    let folders: BTreeSet<String> = fs::read_dir(root().join("functions"))
        .expect("functions")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    assert_eq!(functions.keys().cloned().collect::<BTreeSet<_>>(), folders);

    let mut expected = BTreeMap::new();
    for (folder, package) in &functions {
        assert_eq!(package.name.as_str(), folder);
        let binaries: Vec<_> =
            package.targets.iter().filter(|target| target.is_bin()).map(|bin| &bin.name).collect();
        assert_eq!(binaries, [folder]);
        expected.insert(resource_name(folder), format!("target/lambda/{folder}/"));
    }
    assert_eq!(template_functions(), expected);
}

/// The lines of a resource of the template, its name left out.
fn stanza<'t>(template: &'t str, resource: &str) -> Vec<&'t str> {
    let head = format!("  {resource}:");
    let lines = template.lines().skip_while(|line| *line != head).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with("   ")).map(str::trim).collect()
}

#[test]
fn sam_builds_each_function_by_the_makefile_and_takes_back_one_that_fails() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    for folder in packages_in(&metadata(), "functions").keys() {
        let resource = resource_name(folder);
        let function = stanza(&template, &resource);
        let build = format!(
            "Metadata: {{ BuildMethod: makefile, ProjectRootDirectory: functions/{folder}, ContextPath: ., WorkingDirectory: . }}"
        );
        assert!(function.contains(&build.as_str()), "{resource} lacks {build}");

        let alarm = resource.replace("Function", "RollbackAlarm");
        let alias = format!("- {{ Name: Resource, Value: !Sub \"${{{resource}}}:live\" }}");
        let watches_alias = stanza(&template, &alarm).contains(&alias.as_str());
        assert!(watches_alias, "{alarm} does not watch the alias of {resource}");

        let mut own = vec![format!("!Ref {alarm}")];
        let method = function.iter().find_map(|line| line.strip_prefix("Method: "));
        let path = function.iter().find_map(|line| line.strip_prefix("Path: "));
        if let (Some(method), Some(path)) = (method, path) {
            let alarm = resource.replace("Function", "AnswersAlarm");
            // Braces mean something to YAML there.
            let quote = if path.contains('{') { "\"" } else { "" };
            let route =
                format!("Dimensions: [{{ Name: Route, Value: {quote}{method} {path}{quote} }}]");
            let watches_route = stanza(&template, &alarm).contains(&route.as_str());
            assert!(watches_route, "{alarm} does not watch {method} {path}");
            own.push(format!("!Ref {alarm}"));
        }
        // No alarm of others: what they meet is no reason to take this one back.
        let heeded = function.iter().find(|line| line.starts_with("DeploymentPreference: "));
        let heeded = heeded.expect("a preference");
        let expected = format!("Alarms: [{}] }}", own.join(", "));
        assert!(heeded.ends_with(&expected), "{resource} has {heeded}, not {expected}");
    }
}

/// Two versions of what tells Stripe prices, or compares them, would undo each other's work for as
/// long as a deployment takes (docs/adr/0020-all-at-once.md).
#[test]
fn what_bills_is_replaced_all_at_once_in_every_stage() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    for name in ["SyncBilling", "ReconcileBilling"] {
        let function = stanza(&template, &format!("{name}Function"));
        let heeded = format!(
            "DeploymentPreference: {{ Type: AllAtOnce, Alarms: [!Ref {name}RollbackAlarm] }}"
        );
        assert!(function.contains(&heeded.as_str()), "{name} lacks {heeded}");
    }
}

/// The parameters and the cells of mappings that lines refer to.
fn configuration(lines: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in lines {
        let is_meant = |name: &String| {
            line.ends_with(&format!("!Ref {name}")) || line.contains(&format!("${{{name}}}"))
        };
        found.extend(parameters().into_iter().filter(is_meant));
        let cells = line.split("!FindInMap ").skip(1);
        found.extend(cells.filter_map(|cell| Some(cell.split_once(']')?.0.to_owned())));
    }
    found
}

/// SAM makes a new version when a function changes as it is written, and does not look through parameters and mappings. What
/// the description of a version has of them, CloudFormation looks through.
#[test]
fn whatever_a_function_is_configured_with_publishes_a_version_of_it() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let globals: Vec<_> = template.lines().skip_while(|line| *line != "Globals:").collect();
    let tiers = globals.iter().skip_while(|line| line.trim() != "TIERS: !Sub").skip(1);
    let tiers: Vec<_> = tiers.take_while(|line| line.starts_with("          ")).copied().collect();
    assert_eq!(tiers.len(), 5, "{tiers:?}");
    let mut described = 0;
    for folder in packages_in(&metadata(), "functions").keys() {
        let resource = resource_name(folder);
        let function = stanza(&template, &resource);
        let part = |name: &str, ends_with: &[&str]| -> Vec<&str> {
            let lines = function.iter().skip_while(|line| !line.starts_with(name));
            let mut lines = lines.copied();
            let first = lines.next();
            let rest = lines.take_while(|line| !ends_with.iter().any(|end| line.starts_with(end)));
            first.into_iter().chain(rest).collect()
        };
        let mut needed =
            configuration(&part("Variables:", &["Events:", "#", "EventInvokeConfig:"]));
        let source = root().join("functions").join(folder).join("src");
        let reads_tiers = fs::read_dir(source).expect("a folder").any(|file| {
            let text = fs::read_to_string(file.expect("a file").path()).unwrap_or_default();
            text.contains("tiers()?") || text.contains("prices()?")
        });
        if reads_tiers {
            needed.extend(configuration(&tiers));
        }
        let has = configuration(&part("VersionDescription:", &["Environment:"]));
        assert_eq!(has, needed, "the VersionDescription of {resource}");
        described += usize::from(!has.is_empty());
    }
    assert!(described > 5, "{described} functions are configured");
}

/// Whether a stanza has each of some lines.
fn has_all(stanza: &[&str], lines: &[&str]) -> bool {
    lines.iter().all(|line| stanza.contains(line))
}

#[test]
fn an_alarm_rings_where_billing_silently_does_not_run() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let alarm = |name: &str| stanza(&template, name);
    let queue = [
        "MetricName: ApproximateAgeOfOldestMessage",
        "Dimensions: [{ Name: QueueName, Value: !GetAtt BillingQueue.QueueName }]",
        "AlarmActions: [!Ref AlarmTopic]",
    ];
    assert!(has_all(&alarm("BillingQueueLateAlarm"), &queue));
    let results = queue.map(|line| line.replace("BillingQueue", "SetupResultsQueue"));
    assert!(has_all(&alarm("SetupResultsLateAlarm"), &results.each_ref().map(String::as_str)));
    // Without runs nothing else would tell, so that silence itself rings.
    let silent = [
        "MetricName: Invocations",
        "Dimensions: [{ Name: FunctionName, Value: !Ref ReconcileBillingFunction }]",
        "Period: 900",
        "Threshold: 1",
        "ComparisonOperator: LessThanThreshold",
        "TreatMissingData: breaching",
        "AlarmActions: [!Ref AlarmTopic]",
    ];
    assert!(has_all(&alarm("ReconcileSilentAlarm"), &silent));
    let behind = ["MetricName: OldestBehind", "AlarmActions: [!Ref AlarmTopic]"];
    assert!(has_all(&alarm("BillingBehindAlarm"), &behind));
    let filter = [
        "LogGroupName: !Ref ReconcileBillingLogs",
        "FilterPattern: '{ $.oldest_behind_seconds = * }'",
        "MetricName: OldestBehind",
        "MetricValue: $.oldest_behind_seconds",
        "Unit: Seconds",
    ];
    assert!(has_all(&alarm("OldestBehindFilter"), &filter));
}

#[test]
fn main_only_wires() {
    for folder in packages_in(&metadata(), "functions").keys() {
        let main = root().join("functions").join(folder).join("src/main.rs");
        let lines = fs::read_to_string(main).expect("a main").lines().count();
        assert!(lines <= 15, "{folder}/src/main.rs has {lines} lines");
    }
}

#[test]
fn every_function_has_a_test_file_of_its_name() {
    for folder in packages_in(&metadata(), "functions").keys() {
        let file = format!("tests/{}.rs", folder.replace('-', "_"));
        assert!(root().join(&file).exists(), "{file} is missing");
    }
}

/// What SECURITY.md says to be seen by a test can be seen by it.
#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = fs::read_to_string(root().join("SECURITY.md")).expect("a page");
    let mut text = None;
    let mut count = 0;
    for name in page.split('`').skip(1).step_by(2) {
        if name.ends_with(".rs") {
            let file = root().join("tests").join(name);
            text = Some(fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}")));
        } else if name.matches('_').count() > 1 {
            let text = text.as_deref().expect("a file before its tests");
            let of_test = |line: &str| line.contains("test]") || line.contains("::test(");
            let mut lines =
                text.lines().rev().skip_while(|line| !line.contains(&format!("fn {name}(")));
            let is_there = lines.next().is_some() && lines.next().is_some_and(of_test);
            assert!(is_there, "{name} is no test of the file named before it");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// A file that is no module of a test program would be run by nobody.
#[test]
fn every_test_file_belongs_to_a_test_program() {
    let tests = root().join("tests");
    let manifest = fs::read_to_string(tests.join("Cargo.toml")).expect("a manifest");
    let files = fs::read_dir(&tests).expect("a folder").map(|file| file.expect("a file").path());
    let files: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "rs")).collect();
    let stem = |file: &PathBuf| file.file_stem().expect("a name").to_string_lossy().into_owned();
    let is_program = |file: &PathBuf| manifest.contains(&format!("path = \"{}.rs\"", stem(file)));
    let (programs, modules): (Vec<_>, Vec<_>) = files.into_iter().partition(is_program);
    let texts: Vec<_> =
        programs.iter().map(|file| fs::read_to_string(file).expect("a program")).collect();
    assert!(!programs.is_empty() && !modules.is_empty());
    for module in modules.iter().map(stem) {
        let line = format!("mod {module};");
        let count = texts.iter().filter(|text| text.lines().any(|known| known == line)).count();
        assert_eq!(count, 1, "tests/{module}.rs is a module of {count} test programs");
    }
}

#[test]
fn no_policy_of_the_template_has_a_wildcard_resource_or_a_scan() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    for (number, line) in template.lines().enumerate() {
        let line = line.trim();
        let wildcard =
            line.starts_with("Resource:") && (line.ends_with('*') || line.contains("\"*\""));
        assert!(!wildcard, "line {}: {line}", number + 1);
        assert!(!line.contains("dynamodb:Scan"), "line {}: {line}", number + 1);
        assert!(!line.contains("dynamodb:*"), "line {}: {line}", number + 1);
    }
}

/// What a dynamic reference is resolved to stands in the configuration of a function, where whoever
/// may list functions reads it (docs/adr/0015-fingerprint-key.md).
#[test]
fn the_template_resolves_no_secret() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let resolved = template.lines().find(|line| line.contains("{{resolve:"));
    assert_eq!(resolved, None);
}

#[test]
fn the_table_can_be_restored_and_is_not_deleted_by_mistake() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let table = stanza(&template, "Table");
    let kept = [
        "DeletionPolicy: Retain",
        "UpdateReplacePolicy: Retain",
        "DeletionProtectionEnabled: true",
        "PointInTimeRecoveryEnabled: true",
    ];
    assert!(has_all(&table, &kept), "{table:?}");
}

/// A role that reads a secret can read it when that is encrypted with a key of the customer's own.
#[test]
fn who_reads_a_secret_may_decrypt_it() {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    for folder in packages_in(&metadata(), "functions").keys() {
        let role = stanza(&template, &resource_name(folder).replace("Function", "Role"));
        let holds = |text: &str| role.iter().any(|line| line.contains(text));
        let (reads, decrypts) = (holds("secretsmanager:GetSecretValue"), holds("kms:Decrypt"));
        assert_eq!(reads, decrypts, "{folder}");
    }
}

/// What `sam deploy` finds in samconfig.toml, by stage: keys and values.
fn stages() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(root().join("samconfig.toml")).expect("a configuration");
    let mut stages: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut table = None;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = head.strip_suffix(".deploy.parameters").map(str::to_owned);
        } else if let (Some(stage), Some((key, value))) = (&table, line.split_once(" = ")) {
            let values = stages.entry(stage.clone()).or_default();
            values.insert(key.to_owned(), value.trim_matches('"').to_owned());
        }
    }
    stages
}

/// The names of the template's parameters.
fn parameters() -> BTreeSet<String> {
    let template = fs::read_to_string(root().join("template.yaml")).expect("a template");
    let lines = template.lines().skip_while(|line| *line != "Parameters:").skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.trim().strip_suffix(':')).map(str::to_owned).collect()
}

#[test]
fn each_stage_deploys_a_stack_of_its_own_and_none_is_the_default() {
    let parameters = parameters();
    let stages = stages();
    let names: Vec<_> = stages.keys().map(String::as_str).collect();
    assert_eq!(names, ["dev", "prod", "staging"]);
    for (stage, values) in &stages {
        assert_eq!(values["stack_name"], format!("headcount-{stage}"));
        assert_eq!(values["s3_prefix"], values["stack_name"]);
        assert_eq!(values["tags"], format!("application=headcount stage={stage}"));
        let overrides = &values["parameter_overrides"];
        assert!(overrides.contains(&format!("Stage={stage} ")), "{overrides}");
        for named in overrides.split(' ') {
            let (name, _) = named.split_once('=').expect("a value");
            assert!(parameters.contains(name), "template.yaml has no parameter {name}");
        }
    }
}

/// What cannot be run without AWS is held against what it would act on. What everything else
/// does, tests/end_to_end/runbook.rs sees.
#[test]
fn what_the_runbook_deploys_is_built_just_before_and_goes_to_a_stage_that_it_names() {
    let (stages, parameters) = (stages(), parameters());
    let blocks = runbook::blocks();
    let deploys: Vec<_> = blocks.iter().filter(|block| runbook::is_of_sam(block)).collect();
    assert!(!deploys.is_empty(), "the runbook deploys nothing");
    for block in deploys {
        let lines: Vec<_> = block.lines().collect();
        let [build, deploy] = lines[..] else {
            panic!("{block} is more than a build and a deploy")
        };
        assert_eq!(build, "sam build", "what is deployed is stale: {block}");
        let options = deploy.strip_prefix("sam deploy --config-env ").expect("a stage");
        let mut options = options.split(' ');
        let stage = options.next().unwrap_or_default();
        assert!(stages.contains_key(stage), "samconfig.toml has no {stage}");
        if let Some(option) = options.next() {
            assert_eq!(option, "--parameter-overrides");
        }
        for named in options {
            let name = named.split('=').next().unwrap_or_default();
            assert!(parameters.contains(name), "template.yaml has no parameter {name}");
        }
    }
}

/// A command in the middle of a sentence is run by nobody.
#[test]
fn the_runbook_has_its_commands_in_blocks() {
    let text = fs::read_to_string(root().join("docs/runbook.md")).expect("a runbook");
    for code in text.split('`').skip(1).step_by(2) {
        let program = code.split_whitespace().next().unwrap_or_default();
        let is_command = ["headcount", "aws", "sam", "make"].contains(&program);
        assert!(!(is_command && code.contains(" --")), "not in a block: {code}");
    }
}
