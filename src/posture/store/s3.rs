//! State under an S3 prefix: for any number of agents.
//!
//! In: a client, a bucket, a prefix. Out: objects below the prefix, whose version is their `ETag`. What always holds: a put is
//! asked once and never by the SDK again, because its second try would meet the first one's object and call it a lost race; a body
//! over the limit is not read to its end.
//!
//! Facts: S3 user guide, "conditional writes": `If-None-Match: *` and `If-Match` are answered 412 when what is there is another,
//! 409 when another write is under way, 404 when `If-Match` finds nothing.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;

use super::{Expected, MOST_BYTES, Store, StoreError, Version, checked, checked_prefix, checked_size, conflict, too_large};
use crate::cause;

/// Pages of a listing that are read at most, 1,000 names each.
const PAGES: usize = 1_000;

/// Objects below a prefix.
#[derive(Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
    /// Empty, or with a `/` at its end.
    prefix: String,
}

impl S3 {
    /// Below this prefix; a `/` is put at its end.
    #[must_use]
    pub fn new(client: Client, bucket: &str, prefix: &str) -> Self {
        let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        Self { client, bucket: bucket.to_owned(), prefix }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn read(&self, name: &str) -> Result<Option<(Bytes, Version)>, StoreError> {
        checked(name)?;
        let asked = self.client.get_object().bucket(&self.bucket).key(self.key(name));
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.fault(&error, "s3:GetObject")),
        };
        let size = answer.content_length().and_then(|bytes| u64::try_from(bytes).ok());
        if let Some(bytes) = size.filter(|bytes| *bytes > MOST_BYTES as u64) {
            return Err(too_large(name, bytes));
        }
        let version = version(answer.e_tag())?;
        let mut held = BytesMut::with_capacity(size.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default());
        let mut body = answer.body;
        while let Some(part) = body.next().await {
            held.extend_from_slice(&part.map_err(|error| passing(cause::innermost(&error)))?);
            if held.len() > MOST_BYTES {
                return Err(too_large(name, held.len() as u64));
            }
        }
        match size {
            Some(bytes) if bytes != held.len() as u64 => {
                Err(passing(format!("the body of {name} ended after {} of {bytes} bytes", held.len())))
            }
            _ => Ok(Some((held.freeze(), version))),
        }
    }

    async fn write(&self, name: &str, bytes: Bytes, expected: Expected) -> Result<Version, StoreError> {
        checked(name)?;
        checked_size(name, &bytes)?;
        let asked = self.client.put_object().bucket(&self.bucket).key(self.key(name)).body(bytes.into());
        let (asked, expects) = match expected {
            Expected::Absent => (asked.if_none_match("*"), true),
            Expected::Version(version) => (asked.if_match(version.as_str()), true),
            Expected::Any => (asked, false),
        };
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        match asked.customize().config_override(once).send().await {
            Ok(answer) => version(answer.e_tag()),
            Err(error) => match code(&error) {
                Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey") if expects => Err(conflict(name)),
                // An answer without a body has no code that is known.
                _ if expects && status(&error) == Some(412) => Err(conflict(name)),
                _ => Err(self.fault(&error, "s3:PutObject")),
            },
        }
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        checked_prefix(prefix)?;
        let mut names = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let asked = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.key(prefix));
            let answer = asked.set_continuation_token(next).send().await.map_err(|error| self.fault(&error, "s3:ListBucket"))?;
            let keys = answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            // What is no name (a folder's marker) was not written here.
            names.extend(
                keys.filter_map(|key| key.strip_prefix(&self.prefix).map(str::to_owned)).filter(|name| checked(name).is_ok()),
            );
            next = answer.next_continuation_token;
            if next.is_none() {
                return Ok(names);
            }
        }
        Err(passing(format!("the listing of {} has no end after {PAGES} pages", self.place())))
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        checked(name)?;
        let asked = self.client.delete_object().bucket(&self.bucket).key(self.key(name));
        asked.send().await.map(drop).map_err(|error| self.fault(&error, "s3:DeleteObject"))
    }

    /// What went wrong, and what is missing for `action`.
    fn fault<E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        error: &SdkError<E, impl std::fmt::Debug + 'static>,
        action: &str,
    ) -> StoreError {
        let Some(code) = code(error) else { return passing(cause::innermost(error)) };
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
        let why = message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"));
        let on = if action == "s3:ListBucket" { self.bucket.clone() } else { format!("{}/{}*", self.bucket, self.prefix) };
        let missing = match code {
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" => {
                // Without the right to list, S3 says "denied" of an object that is not there.
                let list = if action == "s3:GetObject" {
                    format!("; s3:ListBucket on arn:aws:s3:::{}", self.bucket)
                } else {
                    String::new()
                };
                let kms = match action {
                    "s3:GetObject" => ", and kms:Decrypt where the bucket has a key of its own",
                    "s3:PutObject" => ", and kms:GenerateDataKey and kms:Decrypt where the bucket has a key of its own",
                    _ => "",
                };
                format!("{action} on arn:aws:s3:::{on}{kms}{list}")
            }
            "NoSuchBucket" => format!("the bucket {}: check its name, the endpoint and the partition", self.bucket),
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                format!("the Region of the bucket {}: it is in another one than AWS_REGION", self.bucket)
            }
            code if code.starts_with("KMS.")
                && !["Timeout", "Internal", "Unavailable", "Throttl"].iter().any(|w| code.contains(w)) =>
            {
                format!("the use of the key of the bucket {}", self.bucket)
            }
            _ => return passing(why),
        };
        StoreError::Denied { why, missing }
    }
}

impl Store for S3 {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix.trim_end_matches('/'))
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        Box::pin(self.read(name))
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(self.write(name, bytes, expected))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(self.names(prefix))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.remove(name))
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, impl std::fmt::Debug>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn status<E>(error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn version(e_tag: Option<&str>) -> Result<Version, StoreError> {
    // Without one nothing could be expected of it.
    e_tag.map(|tag| Version(tag.into())).ok_or_else(|| passing("the answer has no ETag".to_owned()))
}

fn passing(why: String) -> StoreError {
    StoreError::Passing { why }
}
