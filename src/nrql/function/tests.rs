//! What must hold for the table.

use super::*;

#[test]
fn every_name_stands_once_in_any_case() {
    let mut names: Vec<String> = FUNCTIONS
        .iter()
        .flat_map(|one| [one.name].into_iter().chain(one.aliases.iter().copied()))
        .map(str::to_lowercase)
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_row_says_what_it_gives_and_how_it_differs() {
    for one in FUNCTIONS {
        assert!(one.doc.ends_with('.'), "{}: {}", one.name, one.doc);
        assert!(one.support != Support::Approximate || !one.difference.is_empty(), "{}: approximate how?", one.name);
        assert!(one.most.is_none_or(|most| most >= one.least), "{}: {} arguments", one.name, one.arity());
    }
}

#[test]
fn functions_are_found_by_any_name_in_any_case() {
    for (name, found) in [
        ("UNIQUECOUNT", Some("uniqueCount")),
        ("avg", Some("average")),
        ("IndexOf", Some("position")),
        ("fromtimestamp", Some("toDatetime")),
        ("counts", None),
        ("", None),
    ] {
        assert_eq!(function(name).map(|one| one.name), found, "{name}");
    }
}

#[test]
fn arguments_are_counted() {
    for (name, arity, takes, refuses) in [
        ("count", "1", vec![1], vec![0, 2]),
        ("if", "2 to 3", vec![2, 3], vec![1, 4]),
        ("percentile", "1 or more", vec![1, 2, 50], vec![0]),
        ("eventType", "0", vec![0], vec![1]),
        ("funnel", "3 to 11", vec![3, 11], vec![2, 12]),
    ] {
        let one = function(name).unwrap_or_else(|| unreachable!("{name}"));
        assert_eq!(one.arity(), arity, "{name}");
        assert!(takes.iter().all(|count| one.takes(*count)), "{name}");
        assert!(refuses.iter().all(|count| !one.takes(*count)), "{name}");
    }
}

/// The tiers as the reference lists them.
#[test]
fn tiers_hold_what_the_reference_lists() {
    let of = |tier| {
        let names = FUNCTIONS.iter().filter(|one| one.tier == tier).map(|one| one.name.to_lowercase());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(of(Tier::T1), "average count filter latest max min percentage percentile rate sum uniquecount");
    assert_eq!(
        of(Tier::T2),
        "abs apdex boolean bytecountestimate ceil clamp_max clamp_min concat derivative earliest eventtype floor histogram if \
         median numeric round stddev string tuple uniques"
    );
    assert_eq!(
        of(Tier::Beyond),
        "bucketpercentile cardinality conditional datapointcount deriv dimensions histogrampercentile irate nativesizeestimate"
    );
}
