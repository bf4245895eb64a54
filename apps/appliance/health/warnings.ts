/**
 * Every warning the appliance can raise about itself, in one table. The code is stable: `docs/troubleshoot.md` has a section of that
 * name, and a test holds the two together.
 */
import type { Severity } from "#domain/Health.ts"

export interface WarningKind {
  readonly severity: Severity
  readonly title: string
  /** What to do, in one sentence. */
  readonly hint: string
}

export const warningKinds = {
  "database-away": {
    severity: "critical",
    title: "The database does not answer",
    hint: "Flows are kept in the workers and written when it is back; look at postgres.log in the data folder, or at the server that FLOWLENS_DATABASE_URL names."
  },
  "disk-low": {
    severity: "warning",
    title: "The disk of the data folder is nearly full",
    hint: "Free space or enlarge the disk before writes stop."
  },
  "disk-full": {
    severity: "critical",
    title: "The disk of the data folder is full",
    hint: "Free space on the file system of the data folder; writing resumes by itself."
  },
  "dropped-for-room": {
    severity: "warning",
    title: "The oldest traffic was dropped to make room",
    hint: "Enlarge the disk, or keep less: the knobs of the section retention say how many days each kind is kept."
  },
  "storage-exhausted": {
    severity: "critical",
    title: "The disk runs full and nothing old is left to drop",
    hint: "Free space on the file system of the data folder, or enlarge it; nothing more can be given up by itself."
  },
  "actor-gave-up": {
    severity: "critical",
    title: "A part of the appliance failed too often and was stopped",
    hint: "Its last error stands on the Health page; restart it there once the cause is gone."
  },
  "actor-restarted": {
    severity: "info",
    title: "A part of the appliance failed and was restarted",
    hint: "Nothing to do if it stays up; the error stands beside the actor."
  },
  "listener-down": {
    severity: "critical",
    title: "A UDP port could not be opened",
    hint: "Find who holds it (ss -lunp), or move ours with the ingestion ports in flowlens.yaml."
  },
  "receive-buffer": {
    severity: "info",
    title: "The kernel granted a smaller receive buffer than asked for",
    hint: "Raise it: sysctl -w net.core.rmem_max=16777216 (and the same in /etc/sysctl.d), then restart."
  },
  "datagrams-singly": {
    severity: "info",
    title: "Datagrams are read one at a time, which doubles the CPU of a flow worker",
    hint: "This Node cannot call recvmmsg: start without --no-experimental-ffi and --permission, with the Node that comes with the appliance."
  },
  "kernel-drops": {
    severity: "warning",
    title: "The kernel dropped datagrams before they were read",
    hint: "Raise net.core.rmem_max, or give the appliance more CPU; the exporters' sequence gaps show whose flows are missing."
  },
  "store-lags": {
    severity: "warning",
    title: "Windows wait for the database",
    hint: "The database is slower than the flows; open windows are merged meanwhile, nothing is lost yet."
  },
  "spool-lags": {
    severity: "warning",
    title: "Closed windows wait on disk for the database",
    hint: "They are safe and are written when the database takes them; look at postgres.log if this lasts."
  },
  "spool-full": {
    severity: "critical",
    title: "The spool holds as much as it may",
    hint: "Bring the database back or raise ingestion.spool_max_size: flows are sampled, then dropped and counted, until there is room."
  },
  "spool-failing": {
    severity: "critical",
    title: "Closed windows cannot be put on disk",
    hint: "Mend or free the file system of the folder spool in the data folder; a hard stop now would lose what waits in memory."
  },
  "spool-set-aside": {
    severity: "warning",
    title: "A closed window could not be read or written and was set aside",
    hint: "The files *.bad in the folder spool are kept for a report; remove them when they are no longer needed."
  },
  "journal-lags": {
    severity: "warning",
    title: "Traffic of known dependencies is not added to their totals",
    hint: "It is safe in window_journal and added when the database allows it; look at postgres.log if this lasts."
  },
  "journal-unreadable": {
    severity: "warning",
    title: "An entry of the journal cannot be read",
    hint: "Its traffic is in the totals of windows but not of dependencies; keep the row for a report, or restart with the version that wrote it."
  },
  "conversations-full": {
    severity: "warning",
    title: "Conversations were refused because a window is full",
    hint: "More distinct conversations than a window holds; a scan or a flood, or a reason for a second appliance."
  },
  "exporters-full": {
    severity: "warning",
    title: "More exporters send than one worker keeps",
    hint: "Addresses are easily invented: let only known exporters through the firewall, and approve yours, which then keep their place."
  },
  "exporter-over-limit": {
    severity: "warning",
    title: "An exporter sends more than its share, and part of it is turned away",
    hint: "Sample on the device, raise ingestion.exporter_max_rate, or give the appliance another worker; a fault on the device may be the reason."
  },
  "template-flood": {
    severity: "warning",
    title: "An exporter sends ever new templates",
    hint: "A fault of its software, or somebody who forges its address: capture some of its datagrams on its sheet, and block it or let its maker mend it."
  },
  "templates-full": {
    severity: "warning",
    title: "There is hardly room for more templates",
    hint: "Flows wait when their template was given up: block who invents templates, spread exporters over more appliances, or use fewer record formats."
  },
  "own-clock-set": {
    severity: "warning",
    title: "The clock of this machine was set while flows were counted",
    hint: "Let it be kept by NTP all the time; flows around that moment stand in the windows of the clock they came by."
  },
  "template-waiting": {
    severity: "warning",
    title: "Flow sets wait for their template",
    hint: "The exporter sends templates on a timer; shorten it (template refresh 60 s) if this lasts."
  },
  "exporter-silent": {
    severity: "warning",
    title: "An exporter fell silent",
    hint: "Check that the device still runs and reaches this appliance; nothing it watched is called gone meanwhile."
  },
  "exporters-unapproved": {
    severity: "info",
    title: "Exporters wait for approval",
    hint: "Approve or block them on the Exporters page; until then their flows are counted and kept off the map."
  },
  "sequence-gaps": {
    severity: "warning",
    title: "Flow datagrams were lost on the way",
    hint: "The exporter's own numbering has gaps: look for loss between it and this appliance, or for kernel drops here."
  },
  "malformed-datagrams": {
    severity: "info",
    title: "Malformed datagrams arrive",
    hint: "The Exporters page names sender and reason; capture some on its sheet if the sender is a real exporter."
  },
  "clock-skew": {
    severity: "info",
    title: "An exporter's clock is off",
    hint: "Its times are corrected here; set NTP on the device."
  },
  "unclean-stop": {
    severity: "warning",
    title: "The appliance was stopped hard before this start",
    hint: "What stands in this line was in an open window and is lost; stop with Ctrl-C or SIGTERM to write it."
  }
} satisfies Record<string, WarningKind>

export type WarningCode = keyof typeof warningKinds
