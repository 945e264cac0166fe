//! The files of the definition that is built in.

/// Name of the file with what all pages share.
pub(super) const DASHBOARD: &str = "dashboard.yml";

/// Name of the file with the labels.
pub(super) const LABELS: &str = "labels.yml";

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Name and text of every file of the definition that is built in.
        pub const SHIPPED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../dashboards/source/", $name)))),+];
    };
}

shipped![
    "dashboard.yml",
    "labels.yml",
    "overview.yml",
    "detective.yml",
    "preventive.yml",
    "findings.yml",
    "attack.yml",
    "frameworks.yml",
    "resources.yml",
    "identity.yml",
    "health.yml",
];
