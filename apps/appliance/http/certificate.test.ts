import { execFileSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { later } from "../../../test/rig/clock.ts"
import { certificatePaths, loadCertificate } from "./certificate.ts"
import { layerServer } from "./server.ts"

const folder = () => mkdtempSync(join(tmpdir(), "flowlens-tls-"))

describe("the certificate", () => {
  it.live(
    "is made at the first start, unique, private, for every name of this machine, and stays",
    Effect.fnUntraced(function* () {
      const [a, b] = [folder(), folder()]
      const made = yield* loadCertificate(a)
      const other = yield* loadCertificate(b)
      assert.notStrictEqual(made.fingerprint, other.fingerprint)
      assert.deepStrictEqual(yield* loadCertificate(a), made)
      assert.isTrue(made.selfMade)
      assert.match(made.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      const paths = certificatePaths(a)
      assert.deepStrictEqual([statSync(paths.key).mode & 0o777, statSync(paths.folder).mode & 0o777], [0o600, 0o700])
      const parsed = new X509Certificate(made.certificate)
      for (const host of [hostname(), "localhost"]) assert.isDefined(parsed.checkHost(host), host)
      for (const address of ["127.0.0.1", "::1"]) assert.isDefined(parsed.checkIP(address), address)
      assert.strictEqual(parsed.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1")
      assert.isFalse(parsed.ca)
      assert.isAbove(made.notAfter.getTime(), Date.now() + 9 * 365 * 86_400_000)
    })
  )

  it.live(
    "may be replaced by files, and what cannot serve is named with what to do",
    Effect.fnUntraced(function* () {
      const data = folder()
      const other = folder()
      const theirs = yield* loadCertificate(other)
      const paths = certificatePaths(data)
      mkdirSync(paths.folder)
      const put = (certificate: string, key: string) => {
        writeFileSync(paths.certificate, certificate)
        writeFileSync(paths.key, key)
      }
      put(theirs.certificate, theirs.key)
      assert.strictEqual((yield* loadCertificate(data)).fingerprint, theirs.fingerprint)

      const faults: Array<string> = []
      const fault = (effect: ReturnType<typeof loadCertificate>) =>
        Effect.flip(effect).pipe(Effect.map((error) => void faults.push(error.message.replace(paths.folder, "tls"))))
      put(theirs.certificate, (yield* loadCertificate(folder())).key)
      yield* fault(loadCertificate(data))
      put("nonsense", theirs.key)
      yield* fault(loadCertificate(data))
      put(theirs.certificate, "nonsense")
      yield* fault(loadCertificate(data))
      put(theirs.certificate, theirs.key)
      yield* fault(later("4000 days")(loadCertificate(data)))
      rmSync(paths.key)
      yield* fault(loadCertificate(data))
      assert.isFalse(existsSync(paths.key))
      const hint = "put both certificate.pem and key.pem there, or remove both to have one made"
      assert.strictEqual(faults[0], `tls/key.pem: it is not the key of certificate.pem; ${hint}`)
      assert.strictEqual(faults[1], `tls/certificate.pem: it is no certificate in PEM form; ${hint}`)
      assert.strictEqual(faults[2], `tls/key.pem: it is no private key in PEM form, or has a passphrase; ${hint}`)
      assert.match(faults[3]!, /^tls\/certificate\.pem: it expired at 20\d\d-.*; check this machine's clock; put both/)
      assert.strictEqual(faults[4], `tls/key.pem: it is missing; ${hint}`)
    })
  )

  it.live.skipIf(spawnFails("openssl"))(
    "is one that openssl verifies",
    Effect.fnUntraced(function* () {
      const data = folder()
      yield* loadCertificate(data)
      const { certificate } = certificatePaths(data)
      const said = execFileSync("openssl", ["verify", "-CAfile", certificate, certificate], { encoding: "utf8" })
      assert.match(said, /: OK/)
      assert.match(readFileSync(certificate, "utf8"), /^-----BEGIN CERTIFICATE-----/)
    })
  )
})

function spawnFails(command: string): boolean {
  try {
    execFileSync(command, ["version"], { stdio: "ignore" })
    return false
  } catch {
    return true
  }
}

describe("the server", () => {
  it.live(
    "says who may have its port and how to choose another",
    Effect.fnUntraced(function* () {
      const taken = createServer()
      const port = yield* Effect.callback<number>((resume) => {
        taken.listen(0, "127.0.0.1", () => resume(Effect.succeed((taken.address() as { port: number }).port)))
      })
      const certificate = yield* loadCertificate(folder())
      const start = (settings: { host: string; port: number }) =>
        Effect.flip(Effect.scoped(Layer.build(layerServer({ ...settings, certificate, pingSeconds: 30 }))))
      const inUse = yield* start({ host: "127.0.0.1", port })
      assert.strictEqual(
        inUse.message,
        `cannot listen on 127.0.0.1:${port}: another program has the port; see which with \`ss -ltnp 'sport = :${port}'\` and stop it, or choose another with api.port in flowlens.yaml or FLOWLENS_API_PORT`
      )
      const elsewhere = yield* start({ host: "192.0.2.77", port: 0 })
      assert.include(elsewhere.message, "this machine does not have the address; correct api.host")
      taken.close()
    })
  )
})
