import { TransportFailed } from "./transport-failed.ts";

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection reset",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name lookup failed",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "connection timed out",
};

/** What an error of a socket means, in words for a person. `where` is `host:port`. */
export function socketFailure(error: unknown, where: string, moment: string): TransportFailed {
  if (error instanceof TransportFailed) return error;
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  const said = WORDS[code];
  if (said !== undefined)
    return new TransportFailed(`${said} ${moment} (${where}, ${code})`, { cause: error });
  if (isCertificateFailure(code))
    return new TransportFailed(`the certificate of ${where} was not accepted: ${message}`, {
      retryable: false,
      remedy: "Set NODE_EXTRA_CA_CERTS to the file with your CA certificate",
      cause: error,
    });
  if (code.startsWith("HPE_") || code === "EPROTO" || code.startsWith("ERR_SSL"))
    return new TransportFailed(`${where} does not speak the protocol of the URL (${code})`, {
      retryable: false,
      cause: error,
    });
  return new TransportFailed(`${message || code || "connection failed"} ${moment} (${where})`, {
    cause: error,
  });
}

const isCertificateFailure = (code: string): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER|DECRYPT)|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA/.test(
    code,
  );
