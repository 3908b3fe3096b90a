import { isJsonObject, type Json, type JsonObject } from "../shared/json.ts";
import { masked } from "../shared/masked.ts";
import { secretNames } from "./load-providers.ts";
import { expansionIn } from "./environment.ts";
import type { Env } from "./places.ts";
import { ExpandFailed, parseTemplate, type Template } from "./template.ts";

const BLOT = "***";

/** Names of fields whose text is a secret, or may be one. */
const SECRET_NAME = /key|token|secret|passw|credential|auth|cookie/i;
/** Objects all of whose values may be secrets, whatever their names. */
const SECRET_MAPS = new Set(["extra_headers", "headers", "env"]);
/** Objects of objects: whoever writes a text there writes the key. */
const HOLDERS = new Set(["providers", "mcp"]);
/** Keys that tell themselves, wherever somebody has put them. */
const KEY_SHAPES =
  /\b(sk-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AIza[\w-]{30,}|xox[abps]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g;
/** "ollama", "not-needed": a word for a local server, which may be the provider's name as well. */
const PLACEHOLDER = /^(?=.{1,15}$)[a-z]+([-_ ][a-z]+)*$/i;
/** Shorter values are no secrets: blotting them out would spoil ordinary text. */
const SHORTEST = 6;

/**
 * A configuration that may be shown. What may be a secret keeps the variables it names and loses everything else:
 * `Bearer $TOKEN` becomes `***$TOKEN`. Nothing is expanded, no command is run.
 */
export function maskedConfig(config: JsonObject, env: Env): JsonObject {
  const { lookup } = expansionIn(env, {}, "/");
  const secrets = [
    ...namesOfSecrets(config).map((name) => lookup(name) ?? ""),
    ...literalsIn(config, false).filter((text) => !PLACEHOLDER.test(text)),
  ].filter((secret) => secret.length >= SHORTEST);
  return maskedObject(config, false, (text) => masked(text, secrets));
}

function namesOfSecrets(config: JsonObject): readonly string[] {
  try {
    return secretNames(config);
  } catch (error) {
    if (error instanceof ExpandFailed) return secretNames({});
    throw error;
  }
}

type Mask = (text: string) => string;

function maskedObject(object: JsonObject, isSecret: boolean, mask: Mask): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      const held =
        HOLDERS.has(name) && isJsonObject(value) ? maskedHolder(value, isSecret, mask) : null;
      return [name, held ?? maskedValue(value, isSecret || isSecretField(name, value), mask)];
    }),
  );
}

const maskedHolder = (holder: JsonObject, isSecret: boolean, mask: Mask): JsonObject =>
  Object.fromEntries(
    Object.entries(holder).map(([name, value]) => [
      name,
      maskedValue(value, isSecret || !isJsonObject(value), mask),
    ]),
  );

/** `max_tokens` has a secret's name and a number's value. */
const isSecretField = (name: string, value: Json | undefined): boolean =>
  typeof value === "number"
    ? SECRET_NAME.test(name) && !/tokens/i.test(name)
    : SECRET_NAME.test(name) || SECRET_MAPS.has(name) || HOLDERS.has(name);

function maskedValue(value: Json | undefined, isSecret: boolean, mask: Mask): Json {
  if (typeof value === "string") return isSecret ? maskedTemplate(value) : maskedText(value, mask);
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.map((item, at) =>
      maskedValue(item, isSecret || isSecretSwitch(list[at - 1]), mask),
    );
  }
  if (typeof value === "number" && isSecret && String(value).length >= SHORTEST) return BLOT;
  return isJsonObject(value) ? maskedObject(value, isSecret, mask) : (value ?? null);
}

/** `--token` before the word that is the token. */
const isSecretSwitch = (word: Json | undefined): boolean =>
  typeof word === "string" && word.startsWith("-") && !word.includes("=") && SECRET_NAME.test(word);

function maskedTemplate(text: string): string {
  try {
    return shown(parseTemplate(text));
  } catch (error) {
    if (error instanceof ExpandFailed) return BLOT;
    throw error;
  }
}

const shown = (template: Template): string =>
  template
    .map((part) => {
      if (part.type === "text") return part.text === "" ? "" : BLOT;
      if (part.type === "command") return `$(${BLOT})`;
      const { name, operator, word } = part;
      return operator === null ? `$${name}` : `\${${name}${operator}${shown(word)}}`;
    })
    .join("");

const maskedText = (text: string, mask: Mask): string =>
  mask(text)
    .replace(KEY_SHAPES, BLOT)
    .replace(/(:\/\/)[^/?#\s@]+@/g, `$1${BLOT}@`)
    .replace(/([?&][^=&#\s]+=)[^&#\s]+/g, `$1${BLOT}`)
    .replace(/(--?[\w-]*(?:key|token|secret|passw|auth)[\w-]*=)\S+/gi, `$1${BLOT}`);

/** What stands in secret fields as it is: it may stand somewhere else again. */
function literalsIn(value: Json | undefined, isSecret: boolean): readonly string[] {
  if (typeof value === "string") return isSecret ? textsIn(value) : [];
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.flatMap((item) => literalsIn(item, isSecret));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    literalsIn(inner, isSecret || SECRET_NAME.test(name)),
  );
}

function textsIn(text: string): readonly string[] {
  try {
    return parseTemplate(text).flatMap((part) => (part.type === "text" ? [part.text.trim()] : []));
  } catch (error) {
    if (error instanceof ExpandFailed) return [text];
    throw error;
  }
}
