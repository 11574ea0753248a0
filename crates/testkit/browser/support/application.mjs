// An application of another origin that sends people to sign in.

import { once } from "node:events";
import { createServer } from "node:http";

/** Starts one on a free port; `answers` are what browsers brought back, `told` what frames were opened with. */
export async function startApplication() {
  const [answers, told] = [[], []];
  const listener = createServer(async (request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    if (url.pathname === "/out") told.push(url.searchParams);
    if (url.pathname !== "/callback") {
      response.writeHead(url.pathname === "/" ? 200 : 404, { "content-type": "text/html" });
      response.end(showStart(url.searchParams));
      return;
    }
    let body = "";
    for await (const piece of request.setEncoding("utf8")) body += piece;
    const fields = new URLSearchParams(request.method === "POST" ? body : url.search);
    answers.push({ method: request.method, fields, cookies: request.headers.cookie });
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>Shop</title><p>The application has its answer.</p>");
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const origin = `http://127.0.0.1:${listener.address().port}`;
  return {
    answers,
    told,
    callback: `${origin}/callback`,
    /** Leads the page from a form of the application to a request. */
    async send(page, { method, endpoint, query }) {
      await page.goto(`${origin}/?${new URLSearchParams({ method, endpoint, query })}`);
      await page.getByRole("button", { name: "Go on" }).click();
    },
    async stop() {
      listener.closeAllConnections?.();
      await once(listener.close(), "close");
    },
  };
}

/** The form that leads to a request. */
function showStart(asked) {
  const quote = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const fields = [...new URLSearchParams(asked.get("query"))].map(
    ([name, value]) => `<input type="hidden" name="${quote(name)}" value="${quote(value)}">`,
  );
  const [method, action] = [quote(asked.get("method") ?? "get"), quote(asked.get("endpoint") ?? "/")];
  return `<!doctype html><title>Shop</title><form method="${method}" action="${action}">
    ${fields.join("")}<button>Go on</button></form>`;
}
