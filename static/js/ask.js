// One call to this server, in words when it goes wrong.

/**
 * `{ok, status, body, etag, wait_s}`; status 0 when nobody answers, and then `body.detail` says so. `wait_s` is how long the
 * server asks to wait, 0 when it does not.
 */
export async function ask(method, path, body, headers = {}) {
  try {
    const answer = await fetch(path, {
      method, cache: "no-store",
      headers: {
        accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, body: json, etag: answer.headers.get("etag"), wait_s: Number(answer.headers.get("retry-after")) || 0 };
  } catch {
    return { ok: false, status: 0, etag: null, wait_s: 0, body: { detail: "StreamSuites does not answer. Is it still running?" } };
  }
}

/** Why a call was refused, for people. */
export function reason_of({ status, body }) {
  if (status === 401) return "You are signed out: sign in again on the start page.";
  return body.detail ?? body.title ?? `The server refused (${status}).`;
}
