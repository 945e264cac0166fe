//! What the page Alerts says of conditions that the demo's clock deceives.
//!
//! In: the conditions. Out: a remark at those that open when heartbeats stop. What always holds: no other condition has one.

use crate::encode::dictionary::HEARTBEAT;
use crate::lab::preview::Language;
use crate::lab::preview::alerts::Alerts;

/// Why silence says nothing here.
const fn text(language: Language) -> &'static str {
    match language {
        Language::English => {
            "In the demo five weeks pass within minutes: its clock goes on by hours between two heartbeats, so this silence says \
             nothing and is not counted."
        }
        Language::Japanese => {
            "デモでは 5 週間が数分で過ぎ、ハートビートの間に時計が数時間進みます。この途絶に意味はなく、件数に含めていません。"
        }
    }
}

/// Puts it where it belongs.
pub(super) fn remark(alerts: &mut Alerts) {
    for (language, policies) in &mut alerts.policies {
        for shown in policies.iter_mut().flat_map(|policy| &mut policy.conditions) {
            let opens = shown.tested.condition.expiration.is_some_and(|expiration| expiration.opens);
            if opens && shown.tested.condition.query.contains(HEARTBEAT) {
                shown.remark = Some(text(*language).to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::engine;
    use crate::lab::preview::alerts::Arrived;
    use crate::lab::store::Store;

    #[test]
    fn what_opens_when_heartbeats_stop_has_a_remark_and_nothing_else() {
        let rows = Store::in_memory();
        let mut alerts =
            super::super::super::preview::alerts_on(None, rows, Arrived::AsStored, engine::Settings::default()).unwrap();
        remark(&mut alerts);
        for (language, policies) in &alerts.policies {
            let all = policies.iter().flat_map(|policy| &policy.conditions);
            let ids: Vec<&str> = all.filter(|shown| shown.remark.is_some()).map(|shown| &*shown.tested.id).collect();
            assert_eq!(ids, ["agent-silent", "relay-silent"], "{language}");
        }
    }
}
