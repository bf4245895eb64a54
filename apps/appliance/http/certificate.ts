/**
 * The TLS certificate. Its own is made at the first start, unique to the installation, and kept in DATA/tls; put another pair of
 * `certificate.pem` and `key.pem` there to replace it. What is there and cannot serve stops the start with a sentence.
 */
import "reflect-metadata"
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { hostname, networkInterfaces } from "node:os"
import { join } from "node:path"
import * as x509 from "@peculiar/x509"
import { Clock, Effect, Schema } from "effect"

export class CertificateUnusable extends Schema.TaggedError<CertificateUnusable>()("CertificateUnusable", {
  path: Schema.String,
  why: Schema.String,
  hint: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.why}; ${this.hint}`
  }
}

export interface Certificate {
  /** PEM, the server's own first, then whatever issued it. */
  readonly certificate: string
  readonly key: string
  /** SHA-256 of the DER form, `AB:CD:…` as browsers and openssl show it. */
  readonly fingerprint: string
  readonly notAfter: Date
  readonly selfMade: boolean
}

export const certificatePaths = (dataFolder: string) => {
  const folder = join(dataFolder, "tls")
  return { folder, certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") }
}

/** Ours says so here; anything else there was put there. */
const organisation = "FlowLens self-made"

/** Browsers keep an exception for as long as the certificate lasts; nobody renews a self-made one. */
const years = 10

const names = () => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address.split("%")[0]!))
  return { dns: [...new Set([hostname(), "localhost"])], ip: [...new Set(["127.0.0.1", "::1", ...addresses])] }
}

const make = Effect.fnUntraced(function* () {
  const now = yield* Clock.currentTimeMillis
  return yield* Effect.promise(async () => {
    const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])
    const { dns, ip } = names()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        // positive, 127 bits (RFC 5280 §4.1.2.2)
        serialNumber: Buffer.concat([Buffer.of(0x40 | (randomBytes(1)[0]! & 0x3f)), randomBytes(15)]).toString("hex"),
        name: [{ CN: [hostname()] }, { O: [organisation] }],
        notBefore: new Date(now - 86_400_000),
        notAfter: new Date(now + years * 365 * 86_400_000),
        keys,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension([
            ...dns.map((value) => ({ type: "dns" as const, value })),
            ...ip.map((value) => ({ type: "ip" as const, value }))
          ]),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
        ]
      },
      crypto
    )
    const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY")
    return { certificate: `${certificate.toString("pem")}\n`, key: `${key}\n` }
  })
})

const writePrivately = (path: string, text: string) => {
  // written beside and moved, so that a start that was cut off leaves no half of it
  const beside = `${path}.${randomBytes(4).toString("hex")}`
  writeFileSync(beside, text, { mode: 0o600, flag: "wx" })
  renameSync(beside, path)
}

const read = (path: string, hint: string) =>
  Effect.try({
    try: () => readFileSync(path, "utf8"),
    catch: (error) =>
      new CertificateUnusable({
        path,
        why: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
        hint
      })
  })

/** The certificate in DATA/tls, made when there is none. */
export const loadCertificate = Effect.fn("loadCertificate")(function* (dataFolder: string) {
  const paths = certificatePaths(dataFolder)
  const both = "put both certificate.pem and key.pem there, or remove both to have one made"
  const has = { certificate: existsSync(paths.certificate), key: existsSync(paths.key) }
  if (!has.certificate && !has.key) {
    const made = yield* make()
    yield* Effect.sync(() => {
      mkdirSync(paths.folder, { recursive: true, mode: 0o700 })
      writePrivately(paths.key, made.key)
      writePrivately(paths.certificate, made.certificate)
    })
  } else if (!has.certificate || !has.key) {
    const path = has.certificate ? paths.key : paths.certificate
    return yield* new CertificateUnusable({ path, why: "it is missing", hint: both })
  }
  const certificate = yield* read(paths.certificate, both)
  const key = yield* read(paths.key, both)
  const parsed = yield* Effect.try({
    try: () => new X509Certificate(certificate),
    catch: () => new CertificateUnusable({ path: paths.certificate, why: "it is no certificate in PEM form", hint: both })
  })
  const privateKey = yield* Effect.try({
    try: () => createPrivateKey(key),
    catch: () =>
      new CertificateUnusable({ path: paths.key, why: "it is no private key in PEM form, or has a passphrase", hint: both })
  })
  if (!parsed.checkPrivateKey(privateKey)) {
    return yield* new CertificateUnusable({ path: paths.key, why: "it is not the key of certificate.pem", hint: both })
  }
  const now = yield* Clock.currentTimeMillis
  if (parsed.validToDate.getTime() <= now || parsed.validFromDate.getTime() > now) {
    const why =
      parsed.validFromDate.getTime() > now
        ? `it is valid only from ${parsed.validFromDate.toISOString()} on`
        : `it expired at ${parsed.validToDate.toISOString()}`
    return yield* new CertificateUnusable({ path: paths.certificate, why, hint: `check this machine's clock; ${both}` })
  }
  return {
    certificate,
    key,
    fingerprint: parsed.fingerprint256,
    notAfter: parsed.validToDate,
    selfMade: parsed.subject.includes(`O=${organisation}`)
  } satisfies Certificate
})
