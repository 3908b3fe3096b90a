import { TransportFailed } from "./transport-failed.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The certificates to trust when `SSL_CERT_FILE` is set: those in it, on top of Node's own roots. Undefined leaves Node
 * its own, which hold `NODE_EXTRA_CA_CERTS`; a list replaces them, so that file is then read here. Throws `TransportFailed`.
 */
export async function trustedCertificates(env: Env): Promise<string[] | undefined> {
  const file = env["SSL_CERT_FILE"] ?? "";
  if (file === "") return undefined;
  const { readFile } = await import("node:fs/promises");
  const { rootCertificates } = await import("node:tls");
  const named = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"].filter((name) => (env[name] ?? "") !== "");
  const read = named.map((name) =>
    readFile(env[name] ?? "", "utf8").catch((cause: unknown) => {
      throw new TransportFailed(`the CA certificates in ${env[name]} cannot be read`, {
        retryable: false,
        remedy: `Correct ${name} or unset it`,
        cause,
      });
    }),
  );
  return [...rootCertificates, ...(await Promise.all(read))];
}
