//! Finds in a text what is to be replaced.
//!
//! In: any text. Out: the text with every account id, ARN, address, e-mail, key id and known name passed through a function. What
//! always holds: in doubt it is found: any twelve digits in a row are an account id, any four numbers with points between them
//! that can be an address are one.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Kind, attribute};

/// One alternative per shape; the first that matches at a place wins.
const SHAPES: &str = r#"(?x)
    (?P<address> s3[an]?://[^\s"'<>`,;)\]}|\\]+
                 | https?://[^\s"'<>`,;)\]}|\\/]*amazonaws\.com(?:\.cn)?(?::[0-9]+)?(?:/[^\s"'<>`,;)\]}|\\]*)?
                 | https?://[^\s"'<>`,;)\]}|\\/]+/[0-9]{12}/[^\s"'<>`,;)\]}|\\]+ )
  | (?P<arn>     arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9a-z]*:[^\s"'<>`,;)\]}|\\]* )
  | (?P<email>   [A-Za-z0-9._%+=-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ )
  | (?P<iam>     (?:A3T|ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|APKA|AROA|ASCA|ASIA)[A-Z0-9]{12,} )
  | (?P<host>    [a-z0-9][a-z0-9.-]*\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com )
  | (?P<id>      (?:acl|ami|cgw|dopt|eipalloc|eipassoc|eni|fl|i|igw|lt|nat|pcx|rtb|rtbassoc|sg|sgr|snap|subnet|tgw|vgw|vol|vpc
                 |vpce)-[0-9a-f]{8,17} )
  | (?P<ip4>     [0-9]{1,3}(?:\.[0-9]{1,3}){3} )
  | (?P<dashed>  (?:[A-Za-z][A-Za-z0-9]*-)?[0-9]{1,3}(?:-[0-9]{1,3}){3} )
  | (?P<ip6>     [0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]* )
  | (?P<digits>  [0-9]{12,} )
"#;

/// What can still be in a text of another shape that turned out to be none.
const WITHIN: &str = r"(?x) (?P<ip4> [0-9]{1,3}(?:\.[0-9]{1,3}){3} ) | (?P<digits> [0-9]{12,} )";

#[expect(clippy::unwrap_used, reason = "a constant, read in every test")]
static FOUND: LazyLock<Regex> = LazyLock::new(|| Regex::new(SHAPES).unwrap());

#[expect(clippy::unwrap_used, reason = "a constant, read in every test")]
static FOUND_WITHIN: LazyLock<Regex> = LazyLock::new(|| Regex::new(WITHIN).unwrap());

#[expect(clippy::unwrap_used, reason = "a constant, read in every test")]
static UUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$").unwrap());

#[expect(clippy::unwrap_used, reason = "a constant, read in every test")]
static RESOURCE_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[a-z]{1,12}(?:-[a-z]{2,8})?-[0-9a-f]{8,17}$").unwrap());

/// Digits of an account id.
const ACCOUNT_DIGITS: usize = 12;

/// The text with everything found replaced by `replace`, and known names by what `known` has for a word.
pub(super) fn rewrite(
    text: &str,
    replace: &mut dyn FnMut(Kind, &str) -> String,
    known: &dyn Fn(&str) -> Option<String>,
) -> String {
    // A name with spaces is known as a whole only.
    if let Some(name) = known(text) {
        return name;
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for found in FOUND.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        words(text.get(end..all.start()).unwrap_or_default(), known, &mut out);
        let before = text.get(..all.start()).and_then(|before| before.chars().next_back());
        let after = text.get(all.end()..).unwrap_or_default();
        let shapes = ["address", "arn", "email", "iam", "host", "id", "ip4", "dashed", "ip6"];
        let shape = shapes.into_iter().find(|shape| found.name(shape).is_some());
        out.push_str(&match shape {
            Some("address") => address(all.as_str(), replace),
            Some("dashed") => dashed(text.get(..all.start()).unwrap_or_default(), all.as_str(), after, replace),
            Some("arn") => arn(all.as_str(), replace),
            Some("email") => replace(Kind::Email, all.as_str()),
            Some("iam") if !before.is_some_and(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) => {
                replace(Kind::IamId, all.as_str())
            }
            Some("host") => host(all.as_str(), replace),
            Some("id") if !before.is_some_and(|c| c.is_alphanumeric() || c == '-') => replace(Kind::ResourceId, all.as_str()),
            Some("ip4") => ip4(all.as_str(), replace),
            Some("ip6") if !before.is_some_and(char::is_alphanumeric) => ip6(all.as_str(), replace),
            _ => within(all.as_str(), replace),
        });
        end = all.end();
    }
    words(text.get(end..).unwrap_or_default(), known, &mut out);
    out
}

/// What a whole value is, when its shape says it.
pub(super) fn whole(value: &str) -> Option<Kind> {
    let only =
        |name: &str| FOUND.captures(value).is_some_and(|found| found.name(name).is_some_and(|part| part.len() == value.len()));
    if value.len() == ACCOUNT_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(Kind::Account)
    } else if is_ip4(value) {
        Some(Kind::Ip4)
    } else if value.parse::<Ipv6Addr>().is_ok() {
        Some(Kind::Ip6)
    } else if only("email") {
        Some(Kind::Email)
    } else if only("iam") {
        Some(Kind::IamId)
    } else if UUID.is_match(value) {
        Some(Kind::Uuid)
    } else if RESOURCE_ID.is_match(value) {
        Some(Kind::ResourceId)
    } else {
        None
    }
}

/// A path of names: each part by itself, so that a name is the same alone and in a path.
pub(super) fn segments(path: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let mut out = String::with_capacity(path.len());
    for piece in path.split_inclusive(['/', ':']) {
        let name = piece.trim_end_matches(['/', ':']);
        if attribute::is_telling_part(name) && !is_region(name) {
            out.push_str(&replace(whole(name).unwrap_or(Kind::Name), name));
        } else {
            out.push_str(name);
        }
        out.push_str(piece.get(name.len()..).unwrap_or_default());
    }
    out
}

/// An ARN: partition, service and Region stay, and the type of the resource; `arn:aws:iam::aws:policy/…` is AWS's own.
fn arn(arn: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [head, partition, service, region, account, resource] = parts.as_slice() else { return within(arn, replace) };
    if *account == "aws" {
        return arn.to_owned();
    }
    // Buckets have no type before their name.
    let typed = *service != "s3" || resource.starts_with("accesspoint/");
    let end = resource.find(['/', ':']).filter(|_| typed).map_or(0, |at| at + 1);
    let (kind, name) = resource.split_at_checked(end).unwrap_or(("", resource));
    let account = within(account, replace);
    let name = segments(name, replace);
    format!("{head}:{partition}:{service}:{region}:{account}:{kind}{name}")
}

/// A bucket and a key in it, a queue, or anything else with an address: the host stays when it is AWS's. What ends a sentence is no
/// part of it.
pub(super) fn address(found: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let address = found.trim_end_matches(['.', ':', '?', '!']);
    let Some((scheme, rest)) = address.split_once("://") else { return within(found, replace) };
    let (place, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let named = place.split(':').next().unwrap_or(place);
    let place = if named.ends_with(".amazonaws.com") || named.ends_with(".amazonaws.com.cn") {
        if named.contains(".s3") { host(place, replace) } else { within(place, replace) }
    } else {
        segments(place, replace)
    };
    // Keys are words like others: they are replaced, and not looked for elsewhere.
    let path = segments(path, &mut |kind, part| replace(if kind == Kind::Name { Kind::Word } else { kind }, part));
    format!("{scheme}://{place}{path}{}", found.get(address.len()..).unwrap_or_default())
}

/// Four numbers of a byte with dashes between them, as in names of hosts: `ip-10-20-30-40`. Part of a longer row they are a date.
fn dashed(before: &str, found: &str, after: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let head = found.split_inclusive('-').next().filter(|head| head.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("");
    let numbers = found.get(head.len()..).unwrap_or_default();
    // The word that a dash joins to it, from the dash on: `2026` or `59` goes on with the row.
    let apart = |next: &mut dyn Iterator<Item = char>| match next.next() {
        Some('-') => {
            let word: String = next.take_while(|c| c.is_alphanumeric()).take(5).collect();
            word.is_empty() || word.len() > 4 || !word.bytes().all(|byte| byte.is_ascii_digit())
        }
        Some(c) => !c.is_alphanumeric(),
        None => true,
    };
    let is_apart = apart(&mut before.chars().rev()) && apart(&mut after.chars());
    let dotted = numbers.replace('-', ".");
    if is_apart && is_ip4(&dotted) { head.to_owned() + &ip4(&dotted, replace).replace('.', "-") } else { within(found, replace) }
}

/// A bucket by its address: `name.s3.region.amazonaws.com`.
fn host(found: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let (bucket, rest) = found.find(".s3").and_then(|at| found.split_at_checked(at)).unwrap_or((found, ""));
    replace(whole(bucket).unwrap_or(Kind::Name), bucket) + rest
}

fn ip4(found: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    // Everybody, and this machine.
    let nobody = found.parse::<Ipv4Addr>().is_ok_and(|address| address.is_unspecified() || address.is_loopback());
    if nobody || !is_ip4(found) { found.to_owned() } else { replace(Kind::Ip4, found) }
}

/// Four numbers of a byte; with zeros before them too, as some write them.
fn is_ip4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u8>().is_ok())
}

fn ip6(found: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    // A stop or colon after an address belongs to the sentence.
    let address = found.trim_end_matches('.');
    let address = if address.ends_with("::") { address } else { address.trim_end_matches(':') };
    match address.parse::<Ipv6Addr>() {
        Ok(parsed) if parsed.is_unspecified() || parsed.is_loopback() => found.to_owned(),
        Ok(_) => replace(Kind::Ip6, address) + found.get(address.len()..).unwrap_or_default(),
        Err(_) => within(found, replace),
    }
}

/// Addresses of four numbers, and twelve digits in a row, whatever stands around them.
fn within(text: &str, replace: &mut dyn FnMut(Kind, &str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for found in FOUND_WITHIN.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        out.push_str(text.get(end..all.start()).unwrap_or_default());
        out.push_str(&match found.name("ip4") {
            Some(address) => ip4(address.as_str(), replace),
            // A longer run of digits is no account id.
            None if all.len() == ACCOUNT_DIGITS => replace(Kind::Account, all.as_str()),
            None => all.as_str().to_owned(),
        });
        end = all.end();
    }
    out + text.get(end..).unwrap_or_default()
}

/// Words between what was found by its shape: those that are known as names.
fn words(text: &str, known: &dyn Fn(&str) -> Option<String>, out: &mut String) {
    let inside = |c: char| c.is_alphanumeric() || "-_.+=@".contains(c);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // A full stop at its end belongs to the sentence.
        let name = word.trim_end_matches('.');
        match known(name) {
            Some(pseudonym) => out.push_str(&pseudonym),
            // A name in an address or before an ending: `name.handler`.
            None => {
                for part in name.split_inclusive('.') {
                    let bare = part.trim_end_matches('.');
                    out.push_str(&known(bare).unwrap_or_else(|| bare.to_owned()));
                    out.push_str(part.get(bare.len()..).unwrap_or_default());
                }
            }
        }
        out.push_str(word.get(name.len()..).unwrap_or_default());
        let next = after.find(inside).unwrap_or(after.len());
        let (between, following) = after.split_at_checked(next).unwrap_or((after, ""));
        out.push_str(between);
        rest = following;
    }
}

/// Whether what was found is no piece of a longer Latin word.
pub(super) fn stands_apart(text: &str, range: Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let within = text.get(range.clone()).unwrap_or_default();
    let before = text.get(..range.start).and_then(|before| before.chars().next_back());
    let after = text.get(range.end..).and_then(|after| after.chars().next());
    !(is_letter(before) && is_letter(within.chars().next()) || is_letter(after) && is_letter(within.chars().next_back()))
}

/// Words of a line and the mark behind them. Words that are not ours stay together when only a blank stands between them, as those
/// of a name do.
pub(super) fn runs<'t>(text: &'t str, is_ours: &dyn Fn(&str) -> bool) -> Vec<(&'t str, &'t str)> {
    let ends = |c: char| c.is_whitespace() || "\"'`;,{}[]()<>=→|".contains(c);
    let (mut runs, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = rest.find(ends).and_then(|end| rest.get(..end)).unwrap_or(rest);
        // A colon at its end belongs to the line.
        let bare = word.trim_end_matches(':');
        let behind = rest.get(bare.len()..).unwrap_or_default();
        let mark = behind.find(|c: char| !ends(c) && c != ':').and_then(|end| behind.get(..end)).unwrap_or(behind);
        let next = mark.len() + bare.len();
        let following = rest.get(next..).unwrap_or_default();
        let following = following.split(ends).next().unwrap_or_default();
        let goes_on = mark == " " && !is_ours(bare) && !is_ours(following.trim_end_matches(':'));
        at += next;
        if !goes_on {
            let end = at - mark.len();
            runs.push((text.get(from..end).unwrap_or_default(), mark));
            from = at;
        }
        if next == 0 {
            break;
        }
    }
    runs
}

/// `us-east-1`: says where, not whose.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let letters = |part: &&str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    matches!(parts.as_slice(), [area, middle @ .., number]
        if area.len() == 2 && (1..=3).contains(&middle.len()) && letters(area) && middle.iter().all(letters)
            && number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
}
