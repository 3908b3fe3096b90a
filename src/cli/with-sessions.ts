import { findDataDirectory } from "../config/find-data-directory.ts";
import { knownSecrets } from "../config/known-secrets.ts";
import { failure, RunFailed } from "../protocol/ending.ts";
import { matchSession } from "../protocol/match-session.ts";
import type { Session } from "../protocol/session.ts";
import { sessionHash, type SessionHash } from "../protocol/session-hash.ts";
import { masked } from "../shared/masked.ts";
import { openArchive, type Archive } from "../store/archive.ts";
import { sessionJson, type Clean, type SessionJson } from "../transcript/session-json.ts";
import type { Flags } from "./flag-values.ts";
import { oneLine } from "./one-line.ts";
import { workspaceFlags } from "./workspace-flags.ts";

/** The sessions of a data directory, and how they are named and shown. */
export interface Sessions {
  /** Top-level ones, the last changed first. */
  list(): readonly Session[];
  /** By full id, else by the short name or the beginning of it. Throws `unknown_session`. */
  find(typed: string): Session;
  /** Whether these are those that a run would use: a configuration file that cannot be read may name others. */
  readonly areCertain: boolean;
  /** The store. Throws `unknown_session` when there is none, so that there is no session either. */
  archive(): Archive;
  readonly hash: SessionHash;
  readonly json: SessionJson;
  /** Takes the secrets out that are known here. */
  readonly clean: Clean;
}

/** Opens the sessions that the flags lead to for as long as `work` takes: no server, nothing made where nothing is. */
export async function withSessions<T>(
  flags: Flags,
  work: (sessions: Sessions) => Promise<T>,
): Promise<T> {
  const { path: cwd, ...files } = workspaceFlags(flags);
  const found = await findDataDirectory({ cwd, env: process.env, ...files });
  for (const warning of found.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  const secrets = await knownSecrets(cwd, process.env, files.configFile);
  const clean = (text: string): string => masked(text, secrets);
  const hash = await sessionHash();
  using archive = openArchive(found.path);
  const opened = (): Archive => {
    if (archive !== null) return archive;
    throw unknown(`there are no sessions in ${found.path}`);
  };
  const list = (): readonly Session[] => archive?.sessions.list() ?? [];
  return await work({
    list,
    find: (typed) => {
      const { sessions } = opened();
      const exact = sessions.get(typed as Session["id"]);
      if (exact !== null) return exact;
      const all = list();
      const id = matchSession(
        typed,
        all.map((session) => session.id),
        hash,
      );
      const session = all.find((one) => one.id === id);
      if (session !== undefined) return session;
      throw unknown(`there is no session ${typed}`);
    },
    areCertain: found.isCertain,
    archive: opened,
    hash,
    json: sessionJson(hash, clean),
    clean,
  });
}

const unknown = (message: string): RunFailed =>
  new RunFailed(
    failure("unknown_session", message, {
      remedy: "check --cwd and --data-dir; crush session list shows the sessions that there are",
    }),
  );

/** Digits of a short name. */
export const SHORT = 7;
export const LONG = 12;
