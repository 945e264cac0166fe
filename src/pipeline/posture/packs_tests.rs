//! Packs of a made-up AWS Config: whose rows are sent when, and when they are said to be all.

use super::rows::RowKind;
use super::tests::*;
use super::*;
use crate::config::Watched;

/// Packs are sent, and whether the run says that they are all.
async fn packs(scene: &Scene) -> (usize, bool) {
    let (rows, run) = scene.sends(RowKind::Packs, "AwsConformancePackSnapshot").await;
    (rows.len(), run["run.complete"] == "true")
}

/// S2-12: who took over knows the packs of what it read again, and not those of the others.
#[tokio::test]
async fn packs_of_a_part_of_the_places_are_not_complete() {
    let places = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.fail(&places[1].to_string(), denied());
    scene.reads(0, None).await;
    assert_eq!(packs(&scene).await, (1, false));
    scene.lead.known().packs.clear();
    scene.aws.mended();
    scene.reads(1, Some(&BTreeSet::from([Failed::Place(places[1].clone())]))).await;
    assert_eq!(packs(&scene).await, (1, false), "after a take-over");
    scene.reads(7, None).await;
    assert_eq!(packs(&scene).await, (2, true));
}

/// S2-12: the packs of a retry are a part, and wait for the next reading of everything.
#[tokio::test]
async fn packs_are_sent_after_a_reading_of_everything_only() {
    let places = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.fail(&places[1].to_string(), denied());
    let mut schedule = Schedule::default();
    let run = async |schedule: &mut Schedule, kind: &str| {
        let sent = async {
            while !scene.rows("AwsPostureRun").iter().any(|row| row["run.kind"] == kind) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // Whatever follows it.
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let clockwork = Clockwork::new(schedule, None);
        tokio::select! {
            never = schedule::run(&scene.lead, &clockwork) => match never {},
            sent = tokio::time::timeout(Duration::from_secs(20), sent) => sent.expect("a run"),
        }
    };
    run(&mut schedule, "controls").await;
    let of_packs = || scene.rows("AwsPostureRun").iter().filter(|row| row["run.kind"] == "packs").count();
    assert_eq!(of_packs(), 1);
    scene.aws.mended();
    scene.lead.clock.advance_to(NOW + HOUR / 2);
    run(&mut schedule, "retry").await;
    assert_eq!(of_packs(), 1);
}

/// S2-13: an aggregator that does not say which packs there are takes none away, and the rows are not complete.
#[tokio::test]
async fn packs_that_an_aggregator_cannot_tell_stay_as_they_were() {
    let scene = Scene::new(None, Watched::default());
    scene.aws.put(&place(ONE, "eu-west-1"), "r", BAD, NOW - HOUR);
    scene.reads(0, None).await;
    assert_eq!(packs(&scene).await, (1, true));
    scene.aws.fail("packs", denied());
    scene.reads(7, None).await;
    assert_eq!(packs(&scene).await, (1, false));
    scene.aws.mended();
    scene.reads(14, None).await;
    assert_eq!(packs(&scene).await, (1, true));
}
