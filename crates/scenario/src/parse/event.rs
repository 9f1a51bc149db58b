//! `[[event]]`.

use crate::diagnostic::Problem;
use crate::plan::{Action, Event};
use crate::{MilliCpu, weight};

use super::reader::Reader;
use super::tenant::{Located, QUOTA_LEAST_NS, check_name, read_image, read_instant, read_node, small_quota};
use super::{Scope, layer};

/// Most events.
const EVENTS_MAX: usize = 1000;

/// The events by time; those of one instant in file order. `None` where one of them is wrong.
pub(super) fn read_all(root: &Reader<'_>, scope: &Scope, tenants: &[Located]) -> Option<Vec<Event>> {
    let readers = root.tables("event", EVENTS_MAX, |_| None);
    let mut events = readers.iter().map(|reader| read(reader, scope, tenants)).collect::<Option<Vec<_>>>()?;
    events.sort_by_key(|event| event.at);
    Some(events)
}

fn read(reader: &Reader<'_>, scope: &Scope, tenants: &[Located]) -> Option<Event> {
    let at = read_instant(reader, "at", scope);
    let action = read_action(reader, scope, tenants);
    Some(Event { at: at?, action: action? })
}

fn read_action(reader: &Reader<'_>, scope: &Scope, tenants: &[Located]) -> Option<Action> {
    let tenant = || read_tenant(reader, scope);
    let node = |name| read_node(reader, name, scope);
    Some(match reader.choice("do")? {
        "scale" => {
            let (target, replicas) = (tenant(), reader.count32("replicas"));
            Action::Scale { target: target?, replicas: replicas? }
        }
        "kill" => Action::Kill { target: tenant()? },
        "fail-node" => Action::FailNode { target: node("target")? },
        "drain" => Action::Drain { target: node("target")? },
        "update" => {
            let (target, image) = (tenant(), read_image(reader, scope));
            layer::check_update(reader, scope, (target.as_deref(), image.as_deref()), tenants);
            Action::Update { target: target?, image: image? }
        }
        "set-limit" => {
            let (target, cpu, memory) = (tenant(), reader.cpu("cpu"), reader.bytes("memory"));
            check_limits(reader, target.as_deref(), cpu, tenants);
            Action::SetLimit { target: target?, cpu, memory }
        }
        "migrate" => {
            let (target, to) = (tenant(), node("to"));
            Action::Migrate { target: target?, to: to? }
        }
        _ => {
            let (target, lasts) = (node("target"), reader.duration("for"));
            Action::Partition { target: target?, lasts: lasts? }
        }
    })
}

fn read_tenant(reader: &Reader<'_>, scope: &Scope) -> Option<String> {
    let target = reader.text("target")?;
    check_name(reader, "target", "tenant", &target, &scope.tenants);
    Some(target)
}

/// What the kernel would refuse when the event comes is refused now.
fn check_limits(reader: &Reader<'_>, target: Option<&str>, cpu: Option<MilliCpu>, tenants: &[Located]) {
    if !reader.has("cpu") && !reader.has("memory") {
        let problem = Problem::new("set-limit sets neither cpu nor memory").accepts("cpu, memory or both");
        reader.fail_at(reader.place(), problem.advises("add one"));
    }
    let tenant =
        tenants.iter().map(|located| &located.tenant).find(|tenant| Some(tenant.name.as_str()) == target);
    if let (Some(tenant), Some(cpu)) = (tenant, cpu) {
        let quota = weight::quota(cpu, tenant.cpu.period);
        if quota.0 < QUOTA_LEAST_NS {
            reader.fail("cpu", small_quota(quota, tenant.cpu.period));
        } else if quota < tenant.cpu.burst {
            let problem =
                Problem::new(format!("a quota of {quota} is below the tenant's burst {}", tenant.cpu.burst));
            reader.fail(
                "cpu",
                problem
                    .accepts("a quota of at least the burst")
                    .advises("raise the limit or lower the burst"),
            );
        }
    }
}
