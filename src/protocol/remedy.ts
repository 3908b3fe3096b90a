import type { RunFailure } from "./ending.ts";

/** What to do about a failure, one line: its own remedy, else what helps against its reason. */
export const remedyOf = ({ reason, remedy }: RunFailure): string => remedy ?? REMEDIES[reason];

const AGAIN = "run it again, or go on with --continue";
const ASK_FOR_LESS = "raise the limit, or ask for less";
const BUG = "this is a bug of crush-run; please report it";

const REMEDIES = {
  provider_error: "check the provider's options in crush.json, or use another model with -m",
  content_filter: "rephrase the prompt, or use another model with -m",
  internal: BUG,
  empty_output: "try again, or use --allow-empty if no answer is fine",
  interrupted: AGAIN,

  usage: "see: crush --help",
  invalid_config: "correct crush.json",
  unknown_model: "see: crush models",
  unknown_session: "leave out --session to start a new one",
  unknown_run: "check the run id, --cwd and --data-dir",
  run_conflict: "use a fresh run id",
  no_prompt: 'try: crush run "What is here?"',
  stdin_wait: "close standard input with </dev/null, or use --no-stdin",

  by_client: AGAIN,
  by_shutdown: AGAIN,

  auth_missing: "set the provider's key; see: crush models",
  auth_refused: "check the provider's key and what it may do",

  provider_unavailable: "try again later, raise --retries, or use another model with -m",
  session_busy: "try again when its run has ended",
  queue_full: "wait for some of its prompts to end, or use another session",

  turns: ASK_FOR_LESS,
  tool_calls: ASK_FOR_LESS,
  tokens: ASK_FOR_LESS,
  cost: ASK_FOR_LESS,
  context: "start a new session, or use a model with a larger context",
  output_tokens: "raise max_tokens of the model in crush.json, or ask for less",
  loop: "rephrase the prompt, or use another model with -m",

  needs_approval: "allow the call, or use --allow-blocked",
  needs_input: "say in the prompt what the model asked for",

  schema: "make the schema simpler, or use another model with -m",
  output_write: "free some space, or send the output elsewhere",
  storage: "name another data directory with --data-dir",

  server_lost: "ask for the run with crush show before you try again",

  check_failed: "see what the check says",

  timeout: "raise --timeout, or ask for less",
  idle_timeout: "raise --idle-timeout, or try again",

  signal: AGAIN,
  reader_left: "keep the reader of the output open to its end",
} as const satisfies Record<RunFailure["reason"], string>;
