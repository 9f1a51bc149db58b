//! Which lessons can be done for real on this machine.

use catamaran_lessons::{Lesson, scenario};
use catamaran_native::Check;
use catamaran_report::RunError;
use catamaran_scenario::{Plan, Platform};

/// A platform of a lesson on which its scenario is not carried out here: what is wrong, and what to do.
struct Missing {
    platform: Platform,
    why: String,
    remedy: String,
}

/// One row for each lesson, beside what was found by trying its platforms.
pub(super) fn checks(tried: &[Check]) -> Vec<Check> {
    catamaran_lessons::all().iter().map(|lesson| check(lesson, tried)).collect()
}

/// A lesson can be done for real where its scenario is carried out on one of its platforms.
fn check(lesson: &Lesson, tried: &[Check]) -> Check {
    let name = format!("lesson:{}", lesson.id);
    let text = scenario(&name).unwrap_or_default();
    let plan = match Plan::from_toml(text, &name) {
        Ok(plan) => plan,
        Err(error) => return row(name, error.to_string(), Some("this is a defect of catamaran".to_owned())),
    };
    let (mut carried, mut missing) = (Vec::new(), Vec::new());
    for platform in plan.platforms() {
        match missing_on(&plan, *platform, tried) {
            None => carried.push(platform.name()),
            Some(lack) => missing.push(lack),
        }
    }
    let mut found = Vec::new();
    if !carried.is_empty() {
        found.push(format!("for real on {}", carried.join(", ")));
    }
    found.extend(missing.iter().map(|lack| format!("not on {}: {}", lack.platform, lack.why)));
    let remedy = missing.into_iter().next().filter(|_| carried.is_empty()).map(|lack| lack.remedy);
    row(name, found.join("; "), remedy)
}

/// What keeps a plan from being carried out on a platform; none where nothing does.
fn missing_on(plan: &Plan, platform: Platform, tried: &[Check]) -> Option<Missing> {
    let told = tried.iter().find(|check| check.name == platform.name() && !check.works);
    if let Some(Check { found, remedy, .. }) = told {
        let remedy = remedy.clone().unwrap_or_default();
        return Some(Missing { platform, why: found.clone(), remedy });
    }
    let (why, remedy) = match catamaran_native::check(plan, platform).err()? {
        RunError::Unsupported { field, what, advice, .. } | RunError::BadInput { field, what, advice } => {
            (format!("{field}: {what}"), advice)
        }
        RunError::Unavailable { why, remedy, .. } => (why, remedy),
        RunError::Failed { what, advice } => (what, advice),
        RunError::Interrupted => ("interrupted".to_owned(), "try again".to_owned()),
    };
    Some(Missing { platform, why, remedy })
}

fn row(name: String, found: String, remedy: Option<String>) -> Check {
    Check { name, works: remedy.is_none(), found, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(works: impl Fn(Platform) -> bool) -> Vec<Check> {
        let check = |platform: &Platform| {
            let remedy = (!works(*platform)).then(|| "get it".to_owned());
            row(platform.name().to_owned(), "found".to_owned(), remedy)
        };
        Platform::ALL.iter().map(check).collect()
    }

    fn of<'a>(checks: &'a [Check], id: &str) -> &'a Check {
        checks.iter().find(|check| check.name == format!("lesson:{id}")).unwrap()
    }

    #[test]
    fn every_lesson_says_where_it_can_be_done_for_real() {
        let checks = checks(&tried(|_| true));
        assert_eq!(checks.len(), catamaran_lessons::all().len());
        let cgroups = of(&checks, "cgroups");
        assert_eq!((cgroups.works, cgroups.found.as_str()), (true, "for real on cgroups"));
        // rkt is refused by the runner itself, whatever is installed.
        let chain = of(&checks, "lxc-docker-rkt-podman");
        assert!(chain.works && chain.found.contains("not on rkt: "), "{chain:?}");
    }

    #[test]
    fn what_a_lesson_lacks_is_told_with_the_first_remedy() {
        let without = checks(&tried(|platform| platform != Platform::Vm));
        let steal = of(&without, "overcommit-steal");
        assert_eq!((steal.works, steal.found.as_str()), (false, "not on vm: found"));
        assert_eq!(steal.remedy.as_deref(), Some("get it"));
        // Two platforms of three are left.
        let weight = of(&without, "vm-weight");
        assert_eq!(weight.found, "for real on container, bare-metal; not on vm: found");
        assert_eq!((weight.works, weight.remedy.as_deref()), (true, None));
    }
}
