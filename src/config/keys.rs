//! What a New Relic key says about itself.
//!
//! In: a key. Out: whether it is of the kind asked for (a swapped key is named), and the region it was issued in. What
//! always holds: no text made here holds any part of a key. Whether New Relic takes the key is for `doctor` to find out.

use super::Region;
use crate::secret::Secret;

/// Why a key is not the one asked for, and what to do.
pub(super) type Wrong = (&'static str, &'static str);

/// Length of a licence key. API keys page: a 40-character string.
const LICENSE_KEY_CHARS: usize = 40;

/// Checks an ingest licence key.
pub(super) fn license(key: &Secret) -> Result<(), Wrong> {
    let text = key.expose();
    if !is_header_value(text) {
        return Err(("not a key: it has blanks, line ends or letters that no key has", "was it copied whole, and nothing else?"));
    }
    if text.starts_with("NRAK-") {
        return Err((
            "this is a user key (NRAK-…), not an ingest licence key",
            "user keys go to newrelic.apiKey; ingest needs the licence key",
        ));
    }
    for prefix in ["NRII-", "NRIQ-", "NRRA-", "NRAA-", "NRSP-"] {
        if text.starts_with(prefix) {
            return Err((
                "this is a New Relic key of another kind, not an ingest licence key",
                "create a key of type INGEST - LICENSE",
            ));
        }
    }
    Ok(())
}

/// What makes a licence key doubtful. Only New Relic can tell whether it is good, so this refuses nothing: its pages give the
/// length and show letters and digits, and do not say that there never will be others.
pub(super) fn doubt(key: &Secret) -> Option<String> {
    let text = key.expose();
    let strange = if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) { "" } else { ", and not only letters and digits" };
    (text.len() != LICENSE_KEY_CHARS || !strange.is_empty()).then(|| {
        format!(
            "newrelic.licenseKey has {} characters{strange}; New Relic's licence keys have {LICENSE_KEY_CHARS}, letters and \
             digits. Was it copied whole? `cspm-relay doctor newrelic` asks New Relic",
            text.chars().count()
        )
    })
}

/// Checks a user key.
pub(super) fn user(key: &Secret) -> Result<(), Wrong> {
    let text = key.expose();
    if looks_like_license(text) {
        return Err(("this is an ingest licence key, not a user key (NRAK-…)", "licence keys go to newrelic.licenseKey"));
    }
    if !is_header_value(text) || !text.starts_with("NRAK-") {
        return Err(("not a user key", "user keys begin with NRAK-"));
    }
    Ok(())
}

/// The region a licence key was issued in: the part before its first `x`; keys of the United States have none.
pub(super) fn region(key: &Secret) -> Result<Region, Wrong> {
    let lower = key.expose().to_ascii_lowercase();
    let prefix = lower.split_once('x').map_or("", |(prefix, _)| prefix);
    let name = prefix.trim_end_matches(|letter: char| letter.is_ascii_digit());
    match name {
        _ if prefix.starts_with("eu") => Ok(Region::Eu),
        _ if prefix.starts_with("jp") => Ok(Region::Jp),
        // What is longer is no prefix: a key of the United States that happens to have an `x`.
        _ if (2..=4).contains(&name.len())
            && prefix.len() <= name.len() + 2
            && name.bytes().all(|byte| byte.is_ascii_lowercase()) =>
        {
            Err((
                "the licence key is of a region this version does not know",
                "write the region, and all of newrelic.hosts with the hosts of the key's region",
            ))
        }
        _ => Ok(Region::Us),
    }
}

/// Why the region that is configured cannot be the key's. `whole`: the key has the documented shape, so that having no prefix
/// means the United States.
pub(super) fn region_doubt(key: &Secret, configured: Region, whole: bool) -> Option<String> {
    let name = configured.as_str();
    let (issued, why) = match region(key) {
        Err((what, hint)) => return Some(format!("newrelic.region is {name}, but {what}: {hint}")),
        Ok(issued) if issued == configured => return None,
        Ok(Region::Us) if !whole => return None,
        Ok(Region::Us) => (Region::Us, "has no region's prefix"),
        Ok(issued) => (issued, "says so in its prefix"),
    };
    let issued = issued.as_str();
    Some(format!(
        "newrelic.region is {name}, but the licence key is of {issued}: it {why}. {name} would refuse it. Write the key's region \
         (newrelic.region, NEW_RELIC_REGION), or use a key of the {name} account"
    ))
}

fn looks_like_license(text: &str) -> bool {
    let regional =
        text.split_once('x').is_some_and(|(prefix, _)| ["eu", "jp", "gov"].iter().any(|region| prefix.starts_with(region)));
    text.ends_with("NRAL")
        || (text.len() == LICENSE_KEY_CHARS && !text.starts_with("NRAK-"))
        || (regional && !text.starts_with("NRAK-"))
}

fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_what_stands_before_the_first_x() {
        for (key, expected) in [
            ("0123456789abcdef0123456789abcdef0123NRAL", Ok(Region::Us)),
            ("eu01xx0123456789abcdef0123456789abcdNRAL", Ok(Region::Eu)),
            ("EU01XX0123456789abcdef0123456789abcdNRAL", Ok(Region::Eu)),
            ("jpx0123456789abcdef0123456789abcdefgNRAL", Ok(Region::Jp)),
            ("jp01xx0123456789abcdef0123456789abcdNRAL", Ok(Region::Jp)),
            ("eu0123456789abcdef0123456789abcdef12NRAL", Ok(Region::Us)),
            ("012xabc", Ok(Region::Us)),
            ("abcdefghix", Ok(Region::Us)),
            ("", Ok(Region::Us)),
        ] {
            assert_eq!(region(&Secret::new(key)), expected, "{key}");
        }
        for key in ["gov01xx0123456789abcdef0123456789abcNRAL", "ap01xx0123"] {
            assert!(region(&Secret::new(key)).unwrap_err().0.contains("region this version does not know"), "{key}");
        }
    }

    #[test]
    fn a_region_that_is_not_the_keys_is_doubted() {
        let (us, eu, jp) = (
            "0123456789abcdef0123456789abcdef01234567",
            "eu01xx0123456789abcdef0123456789abcdNRAL",
            "jp01xx0123456789abcdef0123456789abcdNRAL",
        );
        for (key, configured, expected) in [
            (us, Region::Us, None),
            (eu, Region::Eu, None),
            (jp, Region::Jp, None),
            (eu, Region::Jp, Some("newrelic.region is JP, but the licence key is of EU: it says so in its prefix.")),
            (jp, Region::Us, Some("newrelic.region is US, but the licence key is of JP: it says so")),
            (us, Region::Eu, Some("newrelic.region is EU, but the licence key is of US: it has no region's prefix.")),
            ("gov01xx0123456789abcdef0123456789abcNRAL", Region::Us, Some("is of a region this version does not know")),
        ] {
            let doubt = region_doubt(&Secret::new(key), configured, true);
            assert_eq!(doubt.is_some(), expected.is_some(), "{key} {configured:?}: {doubt:?}");
            let doubt = doubt.unwrap_or_default();
            assert!(doubt.contains(expected.unwrap_or_default()) && !doubt.contains("0123"), "{key}: {doubt}");
        }
        assert_eq!(region_doubt(&Secret::new("cut"), Region::Jp, false), None, "a key cut short says nothing by what it lacks");
    }

    #[test]
    fn a_key_of_another_shape_is_doubted_and_not_shown() {
        for (name, key, expected) in [
            ("as documented", "0123456789abcdef0123456789abcdef0123NRAL", None),
            ("of the EU", "eu01xx0123456789abcdef0123456789abcdNRAL", None),
            ("cut", "0123456789abcdef", Some("has 16 characters; New")),
            ("one too many", "0123456789abcdef0123456789abcdef01234NRAL", Some("has 41 characters; New")),
            (
                "a dash",
                "01234567-9abcdef0123456789abcdef0123NRAL",
                Some("has 40 characters, and not only letters and digits; New"),
            ),
        ] {
            let doubt = doubt(&Secret::new(key));
            assert_eq!(doubt.is_some(), expected.is_some(), "{name}: {doubt:?}");
            let doubt = doubt.unwrap_or_default();
            assert!(doubt.contains(expected.unwrap_or_default()) && !doubt.contains("01234567"), "{name}: {doubt}");
        }
    }

    #[test]
    fn a_swapped_key_is_named() {
        let license_key = Secret::new("0123456789abcdef0123456789abcdef0123NRAL");
        let user_key = Secret::new("NRAK-ABCDEFGHIJKLMNOPQRSTUVWXYZ0");
        assert_eq!(license(&license_key), Ok(()));
        assert_eq!(user(&user_key), Ok(()));
        assert!(license(&user_key).unwrap_err().0.starts_with("this is a user key"));
        for key in ["0123456789abcdef0123456789abcdef0123NRAL", "0123456789abcdef0123456789abcdef01234567", "eu01xxshort"] {
            assert!(user(&Secret::new(key)).unwrap_err().0.starts_with("this is an ingest licence key"), "{key}");
        }
        assert!(license(&Secret::new("NRIQ-abc")).unwrap_err().0.contains("another kind"));
        assert!(license(&Secret::new("two words")).unwrap_err().0.contains("blanks"));
        assert!(user(&Secret::new("abc")).unwrap_err().0.starts_with("not a user key"));
    }
}
