import { expect, test } from "vitest";
import type { Attachment } from "../../src/protocol/attachment.ts";
import { deferred } from "../../src/shared/deferred.ts";
import { dispatchHouse } from "../support/dispatch-house.ts";
import { fakeModel, says } from "../support/fake-model.ts";
import { turnSetup } from "../support/turn-setup.ts";

const notes: Attachment = {
  path: "/p/notes.md",
  name: "notes.md",
  mimeType: "text/markdown",
  content: Buffer.from("# Notes").toString("base64"),
};
const picture: Attachment = {
  path: "/p/a.png",
  name: "a.png",
  mimeType: "image/png",
  content: "iVBORw0KGgo=",
};

const binary = ({ path, mimeType, content }: Attachment) => ({
  type: "binary",
  path,
  mimeType,
  data: content,
});

test("PER-18: the attachments of a prompt that is cancelled on entry are on its user message", async () => {
  await using house = dispatchHouse();
  const ready = deferred();
  const owner = house.move({
    prepare: async () => {
      await ready.promise;
      return turnSetup(fakeModel(says("never")));
    },
  });
  const session = owner.session();
  const { runId } = owner.ask(session, "look", { attachments: [notes, picture] });
  owner.dispatcher.cancelSession(session, "by_client");
  ready.resolve();
  expect(await owner.ended(runId)).toMatchObject({ cancelled: true });
  expect(owner.store.messages.list(session)).toMatchObject([
    {
      role: "user",
      parts: [
        { type: "text", text: "look" },
        binary(notes),
        binary(picture),
        { type: "finish", reason: "stop" },
      ],
    },
    { role: "assistant", parts: [{ type: "finish", reason: "canceled" }] },
  ]);
});

test("ERR-16: a model without images is shown the text attachments alone, and that is no error", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(says("ok"));
  const owner = house.move({ prepare: async () => turnSetup(model, { takesFiles: false }) });
  const session = owner.session();
  const { runId } = owner.ask(session, "look", { attachments: [notes, picture] });
  expect(await owner.ended(runId)).toMatchObject({ text: "ok", failure: null, cancelled: false });
  expect(model.calls[0]?.messages).toMatchObject([
    { role: "user", parts: [{ type: "text", text: "look" }, binary(notes), { type: "finish" }] },
  ]);
  const told = owner.events.filter(({ type }) => type === "warning");
  expect(told).toMatchObject([{ runId, code: "attachments_dropped" }]);
  expect(owner.events.filter(({ type }) => type === "agent_error")).toEqual([]);
  // The conversation keeps them: another model may read them.
  expect(owner.store.messages.list(session)[0]?.parts).toContainEqual(binary(picture));
});

test("a model that takes images is shown them, without a warning, and text needs no such model", async () => {
  await using house = dispatchHouse();
  const model = fakeModel(says("ok"));
  let takesFiles = true;
  const owner = house.move({ prepare: async () => turnSetup(model, { takesFiles }) });
  const session = owner.session();
  await owner.ended(owner.ask(session, "look", { attachments: [picture] }).runId);
  expect(model.calls[0]?.messages[0]?.parts).toContainEqual(binary(picture));
  takesFiles = false;
  await owner.ended(owner.ask(session, "read", { attachments: [notes] }).runId);
  // What an earlier prompt brought is left out in silence.
  expect(model.calls[1]?.messages[0]?.parts).not.toContainEqual(binary(picture));
  expect(model.calls[1]?.messages.at(-1)?.parts).toContainEqual(binary(notes));
  expect(owner.events.filter(({ type }) => type === "warning")).toEqual([]);
});
