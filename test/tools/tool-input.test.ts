import { expect, test } from "vitest";
import {
  choice,
  flag,
  inputShape,
  integer,
  optional,
  text,
  texts,
  words,
} from "../../src/tools/tool-input.ts";

const shape = inputShape({
  name: words("The name"),
  note: optional(text("A note")),
  count: optional(integer("How many", 1, 9)),
  loud: optional(flag("Loud")),
  form: optional(choice(["a", "b"], "The form")),
  list: optional(texts("A list")),
});

test("the schema says what the check accepts", () => {
  expect(shape.schema).toMatchObject({
    type: "object",
    required: ["name"],
    additionalProperties: false,
    properties: { count: { type: "integer", minimum: 1, maximum: 9, description: "How many" } },
  });
});

test("fields that are not given, or null, are absent", () => {
  expect(shape.read({ name: "x", note: null })).toEqual({ value: { name: "x" } });
});

test("a whole number may come as digits in a string", () => {
  expect(shape.read({ name: "x", count: "3" })).toEqual({ value: { name: "x", count: 3 } });
});

test.each([
  [{}, "field `name` is missing"],
  [{ name: "  " }, "field `name` must not be empty"],
  [{ name: 3 }, "field `name` must be a string, not a number"],
  [{ name: "x", note: ["y"] }, "field `note` must be a string, not a list"],
  [{ name: "x", count: 10 }, "field `count` must be a whole number from 1 to 9"],
  [{ name: "x", count: 1.5 }, "field `count` must be a whole number from 1 to 9"],
  [{ name: "x", count: "" }, "field `count` must be a whole number from 1 to 9"],
  [{ name: "x", loud: "yes" }, "field `loud` must be true or false"],
  [{ name: "x", form: "c" }, "field `form` must be one of a, b"],
  [{ name: "x", list: [1] }, "field `list` must be a list of strings"],
  [{ nmae: "x" }, "unknown field `nmae`; the fields are name, note, count, loud, form, list"],
])("a bad input names its field: %j", (input, problem) => {
  expect(shape.read(input)).toEqual({ problem });
});
