//! Work that reaches outside: webhooks, requests and messages for Discord, against a server that misbehaves.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use streamsuites::{
    jobs::{JobCard, JobState, NewJob},
    model::CreatorId,
};

use crate::support::{
    Setup, TOKEN, TestServer,
    hooks::{Hooks, Reply},
    soon,
};

fn setup(hooks: &Hooks) -> Setup {
    Setup::new()
        .rooms(&["ana", "ben"])
        .set("SYSTEM__AUTOMATION__ALLOWED_HOSTS", json!([hooks.address]))
        .set("SYSTEM__AUTOMATION__DISCORD_API_URL", hooks.url("/api/v10"))
        .set("SYSTEM__AUTOMATION__FIRST_RETRY_MS", 1)
        .variable("DISCORD_BOT_TOKEN", "bot-token-of-a-test")
}

fn ana() -> CreatorId {
    "ana".parse().unwrap()
}

/// Adds a job, and waits until it is over.
async fn done(server: &TestServer, new: NewJob) -> JobCard {
    let id = server.server.jobs.add(new).unwrap().job_id;
    over(server, &id).await
}

async fn over(server: &TestServer, id: &str) -> JobCard {
    soon("the job", async {
        loop {
            let jobs = server.server.jobs.list(None);
            let job = jobs.into_iter().find(|it| it.job_id == id).unwrap();
            if job.state.is_over() {
                return job;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn call(server: &TestServer, method: &str, path: &str) -> (u16, Value) {
    let answer = server.request(method, path, "").bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// Goal: what was told once is told once, however the other side fails, and whoever is there knows from whom it is.
/// Method: a server that cuts, asks for a pause and breaks, before it takes the webhook.
#[tokio::test]
async fn a_webhook_is_signed_and_tried_again_as_the_same_until_it_is_taken() {
    let hooks = Hooks::start().await;
    let server = setup(&hooks).start().await;
    hooks.answer([
        Reply::Cut,
        Reply::Status(429, "retry-after: 0\r\n", ""),
        Reply::Status(500, "", "a long story"),
        Reply::Status(503, "", ""),
    ]);
    let body = json!({"text": "hello", "n": 1});
    let new = NewJob::webhook(ana(), &hooks.url("/in?key=k"), body.clone(), "trigger hello");
    let job = done(&server, new).await;
    assert_eq!((job.state, job.attempts, job.error), (JobState::Completed, 5, None));
    let (status, told) = call(&server, "GET", "/api/rooms/ana/webhook-secret").await;
    assert_eq!(status, 200);
    let secret = told["secret"].as_str().unwrap();
    let asked = hooks.asked();
    assert_eq!(asked.len(), 5);
    for it in asked {
        assert_eq!((it.method.as_str(), it.path.as_str()), ("POST", "/in?key=k"));
        assert_eq!(it.json(), body);
        assert_eq!(it.headers["idempotency-key"], job.job_id);
        assert_eq!(it.headers["content-type"], "application/json");
        let timestamp = &it.headers["x-streamsuites-timestamp"];
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{timestamp}.").as_bytes());
        mac.update(&it.body);
        let mac: String =
            mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(it.headers["x-streamsuites-signature"], format!("sha256={mac}"));
    }
    server.stop().await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_silence_is_not_waited_for() {
    let (hooks, elsewhere) = (Hooks::start().await, Hooks::start().await);
    let setup = setup(&hooks).set("SYSTEM__AUTOMATION__TIMEOUT_MS", 100);
    let server = setup.set("SYSTEM__AUTOMATION__MOST_ATTEMPTS", 2).start().await;
    let webhook = || NewJob::webhook(ana(), &hooks.url("/"), json!(1), "a test");
    let location = Box::leak(format!("location: {}\r\n", elsewhere.url("/")).into_boxed_str());
    hooks.answer([Reply::Status(302, location, "")]);
    let job = done(&server, webhook()).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1));
    assert!(job.error.unwrap().contains("redirects are not followed"));
    assert!(elsewhere.asked().is_empty());

    hooks.answer([Reply::Silent, Reply::Silent]);
    let job = done(&server, webhook()).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 2));
    assert!(job.error.unwrap().contains("no answer in time"));

    hooks.answer([Reply::Status(404, "", "")]);
    let job = done(&server, webhook()).await;
    assert_eq!((job.attempts, job.error.as_deref()), (1, Some("it answers with 404")));
    server.stop().await;
}

#[tokio::test]
async fn nothing_goes_to_a_host_that_is_not_on_the_list() {
    let (hooks, other) = (Hooks::start().await, Hooks::start().await);
    let server = setup(&hooks).start().await;
    let port = hooks.address.rsplit(':').next().unwrap();
    for url in [
        other.url("/secret-path"),
        format!("http://localhost:{port}/secret-path"),
        format!("http://ana:secret-path@127.0.0.1:{port}/"),
        "http://169.254.169.254/secret-path".to_owned(),
        "file:///secret-path".to_owned(),
    ] {
        for new in [
            NewJob::webhook(ana(), &url, json!(1), "a test"),
            NewJob::http(ana(), "GET", &url, None, "a test"),
        ] {
            let job = done(&server, new).await;
            assert_eq!((job.state, job.attempts), (JobState::Failed, 1), "{url}");
            assert!(!job.error.unwrap().contains("secret-path"), "{url}");
        }
    }
    assert!(other.asked().is_empty() && hooks.asked().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_may_have_been_done_is_made_again_only_where_that_is_harmless() {
    let hooks = Hooks::start().await;
    let server = setup(&hooks).start().await;
    let http = |method: &str, body| NewJob::http(ana(), method, &hooks.url("/x"), body, "a test");
    hooks.answer([Reply::Cut]);
    let job = done(&server, http("POST", Some(json!("plain words")))).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1));
    assert!(job.error.unwrap().contains("may have been done"));
    hooks.answer([Reply::Cut, Reply::Status(500, "", "")]);
    let job = done(&server, http("put", Some(json!({"a": 1})))).await;
    assert_eq!((job.state, job.attempts), (JobState::Completed, 3));
    let asked = hooks.asked();
    assert_eq!(asked[0].body, b"plain words");
    assert_eq!(asked[0].headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!((asked[1].method.as_str(), asked[1].json()), ("PUT", json!({"a": 1})));
    let job = done(&server, http("BREW", None)).await;
    assert_eq!(job.state, JobState::Failed);
    server.stop().await;
}

#[tokio::test]
async fn discord_is_written_to_once_and_mentions_nobody() {
    let hooks = Hooks::start().await;
    let server = setup(&hooks).start().await;
    let text = "@everyone we are live";
    let note = |channel: &str| NewJob::discord(ana(), channel, text, "trigger live");
    hooks.answer([
        Reply::Status(429, "", r#"{"message":"…","retry_after":0.02,"global":false}"#),
        Reply::Cut,
        Reply::Status(200, "", "{}"),
        Reply::Status(403, "", "{}"),
    ]);
    let job = done(&server, note("1234567890")).await;
    assert_eq!((job.state, job.attempts), (JobState::Completed, 3), "{job:?}");
    let asked = hooks.asked();
    let nonce = asked[0].json()["nonce"].clone();
    assert!(nonce.as_str().unwrap().len() <= 25);
    for it in asked {
        assert_eq!(it.path, "/api/v10/channels/1234567890/messages");
        assert_eq!(it.headers["authorization"], "Bot bot-token-of-a-test");
        let body = it.json();
        assert_eq!((&body["content"], &body["nonce"]), (&json!(text), &nonce));
        assert_eq!(body["allowed_mentions"], json!({"parse": []}));
        assert_eq!(body["enforce_nonce"], true);
    }
    let job = done(&server, note("1234567890")).await;
    assert_eq!(job.error.as_deref(), Some("the bot may not write in that channel"));
    let job = done(&server, note("12/../../x")).await;
    assert_eq!((job.state, hooks.asked().len()), (JobState::Failed, 4));
    server.stop().await;
}

/// Goal: a stop in the middle loses nothing and doubles nothing that must not be.
#[tokio::test]
async fn a_webhook_that_was_under_way_at_the_stop_is_told_again_as_the_same() {
    let hooks = Hooks::start().await;
    let server = setup(&hooks).start().await;
    hooks.answer([Reply::Silent, Reply::Silent]);
    let webhook = NewJob::webhook(ana(), &hooks.url("/w"), json!(1), "a test");
    let webhook = server.server.jobs.add(webhook).unwrap();
    let http = NewJob::http(ana(), "POST", &hooks.url("/h"), None, "a test");
    let http = server.server.jobs.add(http).unwrap();
    hooks.heard(2).await;
    let server = server.stop_for_now().await.start().await;
    let told = over(&server, &webhook.job_id).await;
    assert_eq!((told.state, told.attempts), (JobState::Completed, 2));
    let made = over(&server, &http.job_id).await;
    assert_eq!(made.state, JobState::Failed);
    assert!(made.error.unwrap().contains("may have been done"));
    let asked = hooks.heard(3).await;
    let told: Vec<_> = asked.iter().filter(|it| it.path == "/w").collect();
    assert_eq!((told.len(), asked.len()), (2, 3));
    assert!(told.iter().all(|it| it.headers["idempotency-key"] == webhook.job_id));
    server.stop().await;
}

#[tokio::test]
async fn jobs_are_shown_taken_back_and_asked_for_again_without_what_they_carry() {
    let hooks = Hooks::start().await;
    let server = setup(&hooks).start().await;
    hooks.answer([Reply::Silent, Reply::Status(404, "", "")]);
    let new = || NewJob::webhook(ana(), &hooks.url("/?key=s3cret"), json!("s3cret"), "trigger hi");
    let hangs = server.server.jobs.add(new()).unwrap();
    hooks.heard(1).await;
    let (status, list) = call(&server, "GET", "/api/rooms/ana/jobs").await;
    assert_eq!((status, list["jobs"].as_array().unwrap().len()), (200, 1));
    let shown = &list["jobs"][0];
    assert_eq!((&shown["state"], &shown["by"]), (&json!("running"), &json!("trigger hi")));
    assert!(!list.to_string().contains("s3cret"), "{list}");
    let of = |id: &str, what: &str| format!("/api/rooms/ana/jobs/{id}/{what}");
    let (status, job) = call(&server, "POST", &of(&hangs.job_id, "cancel")).await;
    assert_eq!((status, &job["state"]), (200, &json!("cancelled")));
    let (status, problem) = call(&server, "POST", &of(&hangs.job_id, "cancel")).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("the job is cancelled already")));
    let failed = done(&server, new()).await;
    assert_eq!(failed.state, JobState::Failed);
    let (status, job) = call(&server, "POST", &of(&failed.job_id, "retry")).await;
    assert_eq!((status, &job["attempts"]), (200, &json!(0)));
    assert_eq!(over(&server, &failed.job_id).await.state, JobState::Completed);
    // Another room's owner would look in vain, and so does this room's for what is another's.
    assert_eq!(call(&server, "POST", "/api/rooms/ben/jobs/x/retry").await.0, 404);
    let elsewhere = format!("/api/rooms/ben/jobs/{}/cancel", failed.job_id);
    assert_eq!(call(&server, "POST", &elsewhere).await.0, 404);
    assert_eq!(call(&server, "GET", "/api/jobs").await.1["jobs"].as_array().unwrap().len(), 2);
    server.stop().await;
}
