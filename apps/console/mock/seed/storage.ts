/** What the mock's database keeps: a month in, and after a week in which the disk was short once. */
import { StorageClass, StorageReading } from "#domain/Storage.ts"
import { instant } from "./World.ts"

const day = 86_400_000
const mebibyte = 1024 ** 2

export const storageOf = (now: number, filled: boolean): StorageReading => {
  const today = Math.floor(now / day) * day
  const of = (name: string, keepDays: number, partitions: number, from: number, until: number, bytes: number) =>
    new StorageClass({ name, keepDays, partitions, from: instant(from), until: instant(until), bytes: BigInt(bytes) })
  const ahead = today + 4 * day
  return new StorageReading({
    classes: filled
      ? [
          of("flow_stats", 30, 22, today - 18 * day, ahead, 612 * mebibyte),
          of("coverage", 90, 26, today - 22 * day, ahead, 9 * mebibyte),
          of("flow_stats_hour", 400, 2, today - 22 * day, ahead, 74 * mebibyte),
          of("flow_stats_day", 3650, 1, today - 22 * day, ahead, 6 * mebibyte)
        ]
      : [of("flow_stats", 30, 4, today, ahead, 98_304)],
    hoursUpTo: filled ? instant(Math.floor(now / 3_600_000) * 3_600_000) : null,
    daysUpTo: filled ? instant(today) : null,
    dropped: filled
      ? [
          {
            name: `flow_stats_${new Date(today - 19 * day).toISOString().slice(0, 10).replaceAll("-", "")}`,
            at: instant(now - 3 * day),
            why: "room"
          },
          {
            name: `coverage_${new Date(today - 91 * day).toISOString().slice(0, 10).replaceAll("-", "")}`,
            at: instant(now - 4 * day),
            why: "age"
          }
        ]
      : [],
    reserveBytes: 1024 * mebibyte,
    mostBytes: 0,
    exhausted: false
  })
}
