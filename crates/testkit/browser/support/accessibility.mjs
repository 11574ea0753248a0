// What axe-core says about a page.

import assert from "node:assert/strict";

import axe from "axe-core";

const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Fails with the list of violations; `name` tells which page it was. */
export async function assertAccessible(page, name) {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  const results = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), STANDARDS);
  assert.ok(results.passes.length > 0, `${name}: axe-core found nothing to check`);
  const violations = results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id} (${help}): ${node.html}`),
  );
  assert.deepEqual(violations, [], name);
}
