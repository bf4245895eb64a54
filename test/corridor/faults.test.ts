/**
 * One appliance that lives through everything, one thing after the other, while exporters of all four formats go on: what was sent is what
 * is in the map and what is said to be lost, record by record; and Health tells of each while it lasts.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it, onTestFinished } from "vitest"
import { type Appliance, sleep, startAppliance, until } from "./Appliance.ts"
import { fillUp, smallDisk } from "./disk.ts"
import { type Encode, encoders, exchanges, openSender, type Protocol } from "./exporting.ts"
import { hostileKinds, seeded } from "./hostility.ts"
import { rpc } from "./rpc.ts"

/** What a fault lasts that has no end of its own. */
const seconds = Number(process.env["FLOWLENS_SOAK_SECONDS"] ?? 4)
const HOUR = 3_600_000
/** Packets of an exchange, both ways together. */
const PACKETS = 30
const OCTETS = 25_500

interface Player {
  readonly protocol: Protocol
  readonly address: string
  readonly network: number
  /** By how much its clock is off. */
  clockMs: number
  records: () => number
  exchanged: () => number
  /** What its sequence numbers count, and how many of it were sent. */
  readonly numbers: "records" | "datagrams"
  readonly numbered: () => number
  readonly stop: () => Promise<void>
}

/** Flow records of an exchange as the format has them: one a direction, one for both, one a packet. */
const recordsEach: Record<Protocol, number> = { netflow5: 2, netflow9: 2, ipfix: 1, sflow5: PACKETS }

/** An exporter between networks of its own, so many exchanges every 50 ms, none the same connection as another. */
const play = async (protocol: Protocol, n: number, port: number, each: number): Promise<Player> => {
  const address = `127.0.80.${n}`
  const sender = await openSender(address)
  const encode: Encode = protocol === "sflow5" ? encoders.sflow5(1, address) : encoders[protocol]()
  const numbers = protocol === "netflow5" || protocol === "ipfix" ? "records" : "datagrams"
  let [exchanged, turn, stopped] = [0, 0, false]
  const player: Player = {
    protocol,
    address,
    network: 80 + n,
    clockMs: 0,
    records: () => exchanged * recordsEach[protocol],
    exchanged: () => exchanged,
    numbers,
    numbered: () => (numbers === "records" ? player.records() : sender.sent()),
    stop: async () => {
      stopped = true
      await playing
    }
  }
  const playing = (async () => {
    while (!stopped) {
      const of = { client: `10.${80 + n}.0.${1 + (turn % 40)}`, server: `10.${80 + n}.1.${1 + (turn % 5)}`, port: 443, protocol: 6 }
      const list = exchanges(each, of, 20_000 + ((turn * each) % 40_000))
      turn++
      await sender.send(encode(list, Date.now() + player.clockMs), port)
      exchanged += list.length
      await sleep(50)
    }
  })()
  onTestFinished(player.stop)
  return player
}

interface ExporterSeen {
  readonly address: string
  readonly records: string
  readonly datagrams: string
  readonly sequenceLost: string
  readonly malformed: string
}

/** Templates nobody asked for: so many of each of so many addresses, all different. */
const flood = async (port: number, addresses: number, ofEach: number) => {
  const random = seeded(7)
  let sent = 0
  for (let i = 0; i < addresses; i++) {
    const sender = await openSender(`127.111.${i >> 8}.${1 + (i & 255)}`)
    for (let k = 0; k < ofEach; k++) {
      const datagram = new Uint8Array(20 + 4 + 4 + 5 * 4)
      const view = new DataView(datagram.buffer)
      const words = [9, 1, 0x36, 0xee80, 0, 0, 0, k, 0, 1, 0, 28, 256 + k, 5]
      words.forEach((word, at) => view.setUint16(at * 2, word))
      view.setUint32(8, Math.floor(Date.now() / 1000))
      for (let f = 0; f < 5; f++) {
        view.setUint16(28 + f * 4, 1 + random.below(300))
        view.setUint16(30 + f * 4, 1 + random.below(8))
      }
      await sender.send([datagram], port)
      sent++
    }
    sender.close()
    if (i % 10 === 9) await sleep(10)
  }
  return sent
}

/** Broken datagrams as fast as they go. */
const garbage = async (appliance: Appliance, forMs: number): Promise<number> => {
  const random = seeded(20_261)
  const valid = (["netflow5", "netflow9", "ipfix", "sflow5"] as const).flatMap((protocol) =>
    encoders[protocol]()(exchanges(12, { client: "10.66.0.1", server: "10.66.0.2", port: 443, protocol: 6 }), Date.now())
  )
  const kinds = Object.values(hostileKinds(valid, random))
  const senders = await Promise.all(Array.from({ length: 60 }, (_, i) => openSender(`127.112.0.${1 + i}`)))
  const ports = [appliance.ports.netflow, appliance.ports.ipfix, appliance.ports.sflow]
  const end = Date.now() + forMs
  while (Date.now() < end) {
    const some = Array.from({ length: 100 }, () => kinds[random.below(kinds.length)]!())
    await Promise.all(some.map((one) => senders[random.below(senders.length)]!.send([one], ports[random.below(3)]!)))
    await sleep(2)
  }
  senders.forEach((sender) => sender.close())
  return senders.reduce((sum, sender) => sum + sender.sent(), 0)
}

describe("a sequence of faults under load", () => {
  it(
    "costs nothing that is not counted, and each is told while it lasts",
    async (context) => {
      const disk = smallDisk("420m")
      if (disk === undefined) return context.skip("needs the right to mount a small file system")
      const appliance = await startAppliance({ LOG_LEVEL: "error" }, [], join(disk, "data"))
      const { ipfix, netflow, sflow } = appliance.ports
      const players = [
        await play("netflow5", 1, netflow, 10),
        await play("netflow9", 2, netflow, 10),
        await play("ipfix", 3, ipfix, 10),
        await play("sflow5", 4, sflow, 2)
      ]
      const token = await appliance.token("admin")
      const good = async (): Promise<ReadonlyArray<ExporterSeen>> => {
        const all = (await appliance.api("/exporters")).json as ReadonlyArray<ExporterSeen>
        return players.map(({ address }) => all.find((one) => one.address === address)!)
      }
      const codes = async (): Promise<ReadonlyArray<string>> =>
        (await appliance.health()).warnings.map(({ code }: { code: string }) => code)
      const written = async () => {
        const rows = await appliance.rows<{ network: number; records: string; packets: string; bytes: string }>(
          `SELECT split_part(host(source_address), '.', 2)::int AS network, sum(total_flows)::text AS records,
             sum(total_packets)::text AS packets, sum(total_bytes)::text AS bytes
           FROM dependencies WHERE port = 443 AND host(target_address) LIKE '10.8_.1.%' GROUP BY 1`
        )
        return players.map(({ network }) => rows.find((row) => row.network === network))
      }
      /** Flows are written again: what the last fault held up came after it. */
      const flowing = async () => {
        const before = await good()
        await until("every exporter is heard", async () =>
          (await good()).every((one, i) => Number(one.records) > Number(before[i]!.records))
        )
        const sums = (await appliance.written()).records
        await until("flows are written", async () => (await appliance.written()).records > sums)
      }
      await until("every exporter is in the map", async () => (await written()).every((row) => row !== undefined))
      await until("every exporter has a row", async () => (await good()).every((one) => one !== undefined))

      const table: Array<{ injected: string; told: string; afterMs: number; lost: Record<string, string> }> = []
      const inject = async (injected: string, act: () => Promise<string>, over: () => Promise<void> = async () => undefined) => {
        const lostBefore = (await good()).map((one) => Number(one.sequenceLost))
        const began = Date.now()
        const told = await act()
        const afterMs = Date.now() - began
        await over()
        // the datagrams after a gap show it
        await flowing()
        const lost = Object.fromEntries(
          (await good()).flatMap((one, i) => {
            const more = Number(one.sequenceLost) - lostBefore[i]!
            return more === 0 ? [] : [[players[i]!.protocol, `${more} in gaps`]]
          })
        )
        table.push({ injected, told, afterMs, lost })
      }
      const told = async (code: string, of = ""): Promise<string> => {
        const { detail } = await until(`health tells of ${code}`, async () => {
          const { warnings } = await appliance.health()
          return warnings.find(
            (one: { code: string; subject: string | null }) => one.code === code && `${one.subject}`.includes(of)
          )
        })
        return `${code}: ${detail}`
      }

      await inject(
        "every process of the database frozen",
        async () => {
          appliance.signalDatabase("SIGSTOP")
          await until("health tells", async () => (await appliance.ask("/health")).json.checks.database === "fail")
          await sleep(seconds * 1000)
          return `/health ${(await appliance.ask("/health")).status}, ${(await codes()).filter((code) => /database|lags|spool/.test(code)).join(", ")}`
        },
        async () => {
          appliance.signalDatabase("SIGCONT")
          await until("the database answers", async () => (await appliance.ask("/health")).json.checks.database === "pass")
        }
      )

      await inject("kill -9 of the database", async () => {
        const before = appliance.postmaster()
        process.kill(before, "SIGKILL")
        await until("another one runs", async () => appliance.postmaster() !== before)
        const { detail } = await until("health tells", async () => {
          const { warnings } = await appliance.health()
          return warnings.find(
            ({ code, subject }: { code: string; subject: string }) => code === "actor-restarted" && subject === "database"
          )
        })
        return `actor-restarted database: ${detail}`
      })

      let filling = ""
      await inject(
        "a full disk, to the last octet",
        async () => {
          filling = fillUp(disk)
          const said = await told("disk-full")
          assert.strictEqual((await appliance.ask("/health")).status, 503)
          await sleep(seconds * 1000)
          return said
        },
        async () => {
          rmSync(filling)
          await until("there is room", async () => (await appliance.warning("disk-full")) === undefined)
        }
      )

      await inject("the worker's thread ended", async () => {
        assert.include(await rpc(appliance, token, "ActorRestart", { path: "flow/worker-1" }), "Success")
        const worker = await until("it runs again", async () => {
          const found = (await appliance.health()).actors.find(({ path }: { path: string }) => path === "flow/worker-1")
          return found.state === "running" && found.restarts > 0 && found
        })
        return `flow/worker-1 restarted ${worker.restarts}`
      })

      let broken = 0
      await inject("hostile datagrams from 60 addresses", async () => {
        broken = await garbage(appliance, seconds * 1000)
        return `${await told("malformed-datagrams")} (${broken} sent)`
      })

      await inject("10,000 templates from 200 addresses", async () => {
        const sent = await flood(netflow, 200, 50)
        const gauge = await until("they are learned, within their bound", async () => {
          const decode = (await appliance.health()).actors.find(({ path }: { path: string }) => path === "flow/worker-1/decode")
          return decode.gauges.templates > 5000 && decode.gauges.templates
        })
        assert.isAtMost(gauge, 10_000)
        await until("health names who has most of them", () => appliance.warning("templates-full"))
        return `${sent} sent, ${gauge} kept`
      })

      for (const [name, by] of [
        ["an exporter's clock an hour ahead", HOUR],
        ["an exporter's clock an hour behind", -HOUR]
      ] as const) {
        await inject(
          name,
          async () => {
            for (const player of players) if (player.protocol !== "sflow5") player.clockMs = by
            const said = await told("clock-skew", players[0]!.address)
            await sleep(seconds * 1000)
            return said
          },
          async () => {
            for (const player of players) player.clockMs = 0
          }
        )
      }

      await Promise.all(players.map((player) => player.stop()))
      // by what each numbers: its records or its datagrams
      const seen = await until("what was sent last is reported", async () => {
        const all = await good()
        return all.every((one, i) => Number(one[players[i]!.numbers]) + Number(one.sequenceLost) >= players[i]!.numbered()) && all
      })
      const { flow, spool } = await appliance.health()
      // the sums of known dependencies are added at the end of a window, and at a clean end
      assert.strictEqual(await appliance.stop(), 0)
      await appliance.again()
      const rows = await written()
      const last = players.map((player, i) => ({
        protocol: player.protocol,
        sent: player.records(),
        received: Number(seen[i]!.records),
        gaps: Number(seen[i]!.sequenceLost),
        malformed: Number(seen[i]!.malformed),
        written: Number(rows[i]?.records ?? 0),
        octets: Number(rows[i]?.bytes ?? 0),
        octetsSent: player.exchanged() * OCTETS
      }))
      console.log("a sequence of faults", JSON.stringify({ table, last, flow, spool }, null, 1))
      const text = JSON.stringify(last)
      for (const one of last) {
        assert.strictEqual(one.written, one.received, text)
        assert.strictEqual(one.malformed, 0, text)
        const missing = one.sent - one.received
        if (players.find(({ protocol }) => protocol === one.protocol)!.numbers === "records")
          assert.strictEqual(missing, one.gaps, text)
        // ten exchanges a datagram
        else if (one.protocol === "netflow9") assert.strictEqual(missing, one.gaps * 10 * recordsEach.netflow9, text)
        else assert.strictEqual(missing > 0, one.gaps > 0, text)
        if (one.protocol !== "sflow5" || missing === 0) {
          assert.strictEqual(one.octets, one.octetsSent - (missing / recordsEach[one.protocol]) * OCTETS, text)
        }
      }
      assert.strictEqual(flow.failed, "0")
      assert.strictEqual(spool.lostRecords, "0")
      assert.strictEqual(await appliance.stop(), 0)
    },
    420_000 + seconds * 20_000
  )
})
