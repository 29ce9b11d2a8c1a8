//! Resend's API, as far as it sends mails.
//!
//! Source: <https://resend.com/docs/api-reference/emails/send-email>,
//! <https://resend.com/docs/dashboard/emails/idempotency-keys>, <https://resend.com/docs/api-reference/errors>.

use std::time::Duration;

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{DeliveryError, Fate, Written};
use crate::{
    config::Config,
    http::{Answer, Clients, HttpError, Way, failure},
};

/// Largest answer that is read (bytes).
const MAX_BYTES: usize = 64 * 1024;
/// Pause when it asks for one without saying how long.
const PAUSE: Duration = Duration::from_secs(2);
/// Pause when what an account may send is used up.
const QUOTA_PAUSE: Duration = Duration::from_secs(600);

#[derive(Serialize)]
struct Body<'a> {
    from: &'a str,
    to: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    subject: &'a str,
    html: &'a str,
    text: &'a str,
    headers: Headers,
    tags: [Tag; 1],
}

#[derive(Serialize)]
struct Headers {
    /// Answers of machines to machines are not wanted.
    #[serde(rename = "Auto-Submitted")]
    auto_submitted: &'static str,
    /// Keeps mail programs from showing two links as one conversation.
    #[serde(rename = "X-Entity-Ref-ID")]
    reference: String,
}

#[derive(Serialize)]
struct Tag {
    name: &'static str,
    value: &'static str,
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
}

/// Sends a mail; answers what Resend calls it, if it told.
pub(super) async fn send(
    clients: &Clients,
    config: &Config,
    key: &str,
    from: &str,
    mail: &Written,
) -> Result<Option<String>, DeliveryError> {
    let way = Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None };
    let body = Body {
        from,
        to: [mail.to.as_str()],
        reply_to: config.secrets.mail_reply_to(),
        subject: mail.subject(),
        html: &mail.html,
        text: &mail.text,
        headers: Headers { auto_submitted: "auto-generated", reference: mail.id.to_string() },
        tags: [Tag { name: "kind", value: mail.kind }],
    };
    let longest = Duration::from_millis(config.system.mail.timeout_ms.into());
    let call = async {
        // A mail holds a link that signs in: it goes where it is told to go, and nowhere else.
        let client = clients.unredirected(&way).await?;
        let request = client
            .post(format!("{}/emails", config.system.mail.resend_url.as_str()))
            .bearer_auth(key)
            .header("idempotency-key", mail.id.to_string())
            .json(&body);
        let response = request.send().await.map_err(|it| failure("Resend", &it))?;
        Answer::read(response, MAX_BYTES).await
    };
    let answer = timeout(longest, call)
        .await
        .unwrap_or_else(|_| Err(HttpError::Unanswered("Resend: no answer in time".into())))
        // Whether it was heard or not, it knows the mail again.
        .map_err(|it| DeliveryError::later(it.to_string()))?;
    understand(&answer)
}

/// What an answer means.
fn understand(answer: &Answer) -> Result<Option<String>, DeliveryError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(answer.json::<Taken>().map(|it| word(&it.id)));
    }
    let problem = answer.json::<Problem>().unwrap_or_default();
    let name = word(&problem.name);
    let words = match &*name {
        "" => format!("Resend answers {}", status.as_u16()),
        name => format!("Resend answers {} {name}", status.as_u16()),
    };
    let fate = match status {
        // It was taken before, and what was sent then differed in who it is from.
        StatusCode::CONFLICT if name == "invalid_idempotent_request" => return Ok(None),
        StatusCode::TOO_MANY_REQUESTS => {
            let pause = if name.ends_with("_quota_exceeded") { QUOTA_PAUSE } else { PAUSE };
            Fate::Wait(answer.retry_after.unwrap_or(pause))
        }
        StatusCode::SERVICE_UNAVAILABLE => answer.retry_after.map_or(Fate::Later, Fate::Wait),
        // With 409, another attempt with the same mail is under way there.
        StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Fate::Later,
        it if it.is_client_error() => Fate::Refused,
        _ => Fate::Later,
    };
    Err(DeliveryError { fate, words, said: without_addresses(&problem.message) })
}

/// A name or an id of Resend's, as far as it looks like one.
fn word(text: &str) -> String {
    let fits = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    text.chars().filter(fits).take(64).collect()
}

/// What Resend says, in one line, without what could be an address or a link.
fn without_addresses(text: &str) -> String {
    let line = super::one_line(text, 300);
    let hides = |it: &str| it.contains('@') || it.contains("://");
    line.split(' ').map(|it| if hides(it) { "…" } else { it }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, retry_after: Option<u64>, body: &'static str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
            etag: None,
            content_type: "application/json".to_owned(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn each_answer_means_one_thing() {
        use Fate::{Later, Refused, Wait};

        let id = |it: Option<&str>| Ok(it.map(str::to_owned));
        let not = |fate, name: &str| Err((fate, name.to_owned()));
        let wait = |s| Wait(Duration::from_secs(s));
        for (given, means) in [
            (answer(200, None, r#"{"id":"49a3999c-0ce1"}"#), id(Some("49a3999c-0ce1"))),
            (answer(200, None, "{}"), id(None)),
            (
                answer(422, None, r#"{"name":"validation_error"}"#),
                not(Refused, "422 validation_error"),
            ),
            (answer(403, None, "<html>"), not(Refused, "403")),
            (answer(401, None, "{}"), not(Refused, "401")),
            (
                answer(429, Some(7), r#"{"name":"rate_limit_exceeded"}"#),
                not(wait(7), "429 rate_limit_exceeded"),
            ),
            (answer(429, None, ""), not(wait(2), "429")),
            (
                answer(429, None, r#"{"name":"daily_quota_exceeded"}"#),
                not(wait(600), "429 daily_quota_exceeded"),
            ),
            (
                answer(409, None, r#"{"name":"concurrent_idempotent_requests"}"#),
                not(Later, "409 concurrent_idempotent_requests"),
            ),
            (answer(409, None, r#"{"name":"invalid_idempotent_request"}"#), id(None)),
            (answer(500, None, ""), not(Later, "500")),
            (answer(503, None, ""), not(Later, "503")),
            (answer(503, Some(3), ""), not(wait(3), "503")),
            (answer(302, None, ""), not(Later, "302")),
        ] {
            let understood = understand(&given).map_err(|it| (it.fate, it.words));
            let means = means.map_err(|(fate, it)| (fate, format!("Resend answers {it}")));
            assert_eq!(understood, means, "{given:?}");
        }
    }

    #[test]
    fn what_it_says_is_told_without_addresses() {
        assert_eq!(
            without_addresses(
                "only to your own (ana@example.com), see\nhttps://resend.com/domains"
            ),
            "only to your own … see …"
        );
    }
}
