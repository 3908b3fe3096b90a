import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { licenceText } from "../../scripts/build/licence-texts.ts";
import { thirdPartyLicenses } from "../../scripts/build/third-party-licenses.ts";

const MODULES = join(import.meta.dirname, "../../node_modules");

/** The notice of one package. */
const noticeOf = (text: string, title: string): string =>
  text.split(`${"-".repeat(79)}\n`).find((one) => one.startsWith(title)) ?? "";

test("a package with a licence file is named with its text", () => {
  const text = thirdPartyLicenses([join(MODULES, "chalk/source/index.js")]);
  expect(noticeOf(text, "chalk ")).toMatch(/Sindre Sorhus[^]*Permission is hereby granted/);
});

test("a package without a licence file has the text of the licence that it names", () => {
  expect(readdirSync(join(MODULES, "boolbase")).filter((name) => /licen/i.test(name))).toEqual([]);
  const text = thirdPartyLicenses([join(MODULES, "boolbase/index.js")]);
  expect(noticeOf(text, "boolbase ")).toMatch(/Felix Boehm[^]*Permission to use, copy/);
});

test("the table of models is named with its source", () => {
  expect(noticeOf(thirdPartyLicenses([]), "@mariozechner/pi-ai ")).toMatch(
    /its table of models \(MIT\)[^]*Mario Zechner[^]*The above copyright notice/,
  );
});

test("a licence without a text is an error of the build", () => {
  expect(() => licenceText("GPL-3.0", null)).toThrow("GPL-3.0");
});
