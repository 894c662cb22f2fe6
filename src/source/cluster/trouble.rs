//! Turns what goes wrong on the way to the API server into one line that a person can act on.

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

use kube::client::AuthError;

use crate::ingest::redact;
use crate::source::{FailureKind, SourceError};

/// What went wrong, as far as the next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// 403: the credential is good, a right is lacking.
    Forbidden,
    /// 401.
    Unauthorized,
    /// There is no credential to ask with: a plugin or a provider failed, and nothing was asked.
    NoCredential,
    /// 404.
    NotFound,
    /// 410: the resource version is too old.
    Gone,
    /// No connection.
    Unreachable,
    /// The deadline passed.
    TimedOut,
    /// The deadline passed after a part of the answer had come.
    TooSlow,
    /// The server answered with another error, or with something that cannot be used.
    Refused,
    /// What is to be asked is installed, and no pod of it runs.
    NotRunning,
    /// What was asked in a pod answered itself, with an error or with something that cannot be used.
    Answered,
}

/// One failure of one request.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// What sort.
    pub cause: Cause,
    /// Why, in one line.
    pub text: String,
    /// Whom the server took us for, where its answer says so.
    pub user: Option<String>,
}

impl Trouble {
    /// Puts a cause and its text together.
    pub fn new(cause: Cause, text: impl AsRef<str>) -> Self {
        Self { cause, text: one_line(text.as_ref()), user: None }
    }

    /// Understands an error of the client.
    pub fn of(error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let cause = match status.code {
                401 => Cause::Unauthorized,
                403 => Cause::Forbidden,
                404 => Cause::NotFound,
                410 => Cause::Gone,
                _ => Cause::Refused,
            };
            let text = if status.message.is_empty() { format!("status {} {}", status.code, status.reason) } else { status.message.clone() };
            return Self { user: user_of(&text), ..Self::new(cause, text) };
        }
        if let Some(auth) = find::<AuthError>(error) {
            return Self::new(Cause::NoCredential, auth_text(auth));
        }
        let cause = match error {
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) | kube::Error::UpgradeConnection(_) => Cause::Refused,
            _ => Cause::Unreachable,
        };
        Self::new(cause, root_text(error))
    }

    /// The same for a caller: `what` says what was asked, on what.
    pub fn failed(&self, what: impl std::fmt::Display, fix: impl Into<String>) -> SourceError {
        SourceError::new(self.kind(), format!("{what}: {}", self.text), fix)
    }

    /// What callers of a source are told.
    pub fn kind(&self) -> FailureKind {
        match self.cause {
            Cause::Forbidden | Cause::Unauthorized | Cause::NoCredential => FailureKind::Forbidden,
            Cause::NotFound => FailureKind::Missing,
            Cause::Unreachable | Cause::NotRunning => FailureKind::Unreachable,
            Cause::TimedOut | Cause::TooSlow => FailureKind::TimedOut,
            Cause::Gone | Cause::Refused | Cause::Answered => FailureKind::Refused,
        }
    }

    /// ` to user "jane"`, or nothing where the user is not known.
    pub fn to_user(&self) -> String {
        self.user.as_ref().map(|user| format!(" to user {user}")).unwrap_or_default()
    }
}

/// A shorter time is none to be named.
const SHORTEST: Duration = Duration::from_millis(50);

/// Waits for one request of the client, but not for ever: a connection that died without a word would hold it.
pub(super) async fn bounded<T>(limit: Duration, request: impl Future<Output = kube::Result<T>>) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Trouble::of(&error)),
        // Its turn came too late.
        Err(_) if limit < SHORTEST => Err(Trouble::new(Cause::TimedOut, "no answer in the time that was left")),
        Err(_) => Err(Trouble::new(Cause::TimedOut, format!("no answer within {}", seconds(limit)))),
    }
}

/// `5 s`, `1.5 s`.
pub(super) fn seconds(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    if tenths.is_multiple_of(10) { format!("{} s", tenths / 10) } else { format!("{}.{} s", tenths / 10, tenths % 10) }
}

/// The first line that says something, without control characters: what a server or a plugin wrote is data.
pub(super) fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason given");
    let clean: String = line.chars().filter(|c| !c.is_control()).take(500).collect();
    clean.trim_end_matches(['.', ':', ' ']).to_owned()
}

/// `cannot be read by User "jane"`: the API server names the user in the text only.
fn user_of(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    let (user, _) = rest.split_once('"')?;
    (!user.is_empty()).then(|| one_line(user))
}

/// What a credential plugin or a token refresh failed with. What the plugin put out is left out: it may
/// hold a token.
fn auth_text(error: &AuthError) -> String {
    match error {
        // Its command line is left out too: the client writes the plugin's environment in front of it.
        AuthError::AuthExecRun { out, .. } => {
            let said = one_line(&String::from_utf8_lossy(&out.stderr));
            format!("the credential plugin failed ({}): {}", out.status, redact::text(&said))
        }
        AuthError::AuthExecStart(error) => format!("the credential plugin could not be started: {error}"),
        AuthError::Oidc(error) => format!("the auth-provider oidc failed: {}", root_text(error)),
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => "the credential plugin's answer is not an ExecCredential".to_owned(),
        AuthError::AuthExec(text) => one_line(&without_debug(text)),
        other => root_text(other),
    }
}

/// The client writes an error of the operating system as Rust does for programmers: `Os { code: 2, kind: NotFound, message: "No such file" }`.
fn without_debug(text: &str) -> String {
    let message = |rest: &str| Some(rest.split_once("message: \"")?.1.split_once('"')?.0.to_owned());
    let plain = text.split_once("Os { code: ").and_then(|(before, rest)| Some(format!("{before}{}", message(rest)?)));
    plain.unwrap_or_else(|| text.to_owned())
}

/// The last error of the chain is the one that says why: `Connection refused`, `invalid peer certificate: UnknownIssuer`.
pub(super) fn root_text(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    // Bounded, since a chain that refers to itself would hang the program in its error path.
    for _ in 0..16 {
        match last.source() {
            Some(source) => last = source,
            None => break,
        }
    }
    one_line(&last.to_string())
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    for _ in 0..16 {
        let error = current?;
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // A boxed error hides what is in it from `downcast_ref` on the box, but not from its own source.
        current = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_control_characters() {
        assert_eq!(one_line("\n  \u{1b}[31mboom\u{7}.\nmore"), "[31mboom");
        assert_eq!(one_line(""), "no reason given");
    }

    #[test]
    fn an_error_of_the_system_is_its_message() {
        let text = r#"Executing /x/gcloud failed: Os { code: 2, kind: NotFound, message: "No such file or directory" }"#;
        assert_eq!(without_debug(text), "Executing /x/gcloud failed: No such file or directory");
        assert_eq!(without_debug("provider x"), "provider x");
    }

    #[test]
    fn the_user_is_read_from_the_servers_text() {
        let text = r#"pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods""#;
        assert_eq!(user_of(text).as_deref(), Some("system:serviceaccount:a:b"));
        assert_eq!(user_of("pods is forbidden"), None);
    }

    #[test]
    fn seconds_are_short() {
        assert_eq!(seconds(Duration::from_secs(5)), "5 s");
        assert_eq!(seconds(Duration::from_millis(1500)), "1.5 s");
    }
}
