// The server. In: what to ask. Out: its JSON. A few questions at a time, so that the widgets on top come first.

const AT_ONCE = 6;

let running = 0;
const waiting = [];

async function turn(signal) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running += 1;
  if (signal?.aborted) {
    done();
    throw new DOMException("no longer wanted", "AbortError");
  }
}

function done() {
  running -= 1;
  waiting.shift()?.();
}

async function read(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { error: `${response.status} ${response.statusText}` };
  }
}

export async function dashboards(language) {
  const query = language ? `?lang=${encodeURIComponent(language)}` : "";
  const answer = await read(await fetch(`/api/dashboards${query}`));
  if (answer.error) throw new Error(answer.error);
  // Each is a text, so that its names keep their order.
  return { ...answer, dashboards: answer.dashboards.map((text) => JSON.parse(text)) };
}

export async function clock() {
  return read(await fetch("/api/clock"));
}

async function post(path, question, signal) {
  await turn(signal);
  try {
    const body = JSON.stringify(question);
    const headers = { "content-type": "application/json" };
    return await read(await fetch(path, { method: "POST", headers, body, signal }));
  } finally {
    done();
  }
}

/** `{results, …}`, or `{error, query, parts}` when there are no rows. Throws only when the server cannot be asked, or `signal` says so. */
export const ask = (question, signal) => post("/api/query", question, signal);

/** Policies with their conditions. */
export async function conditions(language) {
  const answer = await read(await fetch(`/api/alerts?lang=${encodeURIComponent(language)}`));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

/** What each condition of a policy would have told: `{conditions}`, or `{error}`. */
export const askAlerts = (question, signal) => post("/api/alerts", question, signal);

/** Signals and incidents of one condition, or `{error}`. */
export const askAlert = (question, signal) => post("/api/alert", question, signal);
