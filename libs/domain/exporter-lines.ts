/**
 * Lines that change an exporter, by system and topic. Names in capitals are yours to replace; 192.0.2.10 stands for this appliance and
 * 192.0.2.123 for a time server. A topic that a system has no setting for has no entry.
 */
import type { Topic } from "./exporter-advice.ts"

export interface Vendor {
  readonly key: string
  readonly name: string
  readonly lines: Readonly<Partial<Record<Topic, string>>>
}

export const applianceLines =
  "sysctl -w net.core.rmem_max=16777216\necho net.core.rmem_max=16777216 > /etc/sysctl.d/60-flowlens.conf"

export const vendors: ReadonlyArray<Vendor> = [
  {
    key: "ios",
    name: "Cisco IOS, IOS-XE",
    lines: {
      timeouts: "flow monitor FLOWLENS\n cache timeout active 60\n cache timeout inactive 15",
      templates: "flow exporter FLOWLENS\n template data timeout 60",
      options: "flow exporter FLOWLENS\n option sampler-table timeout 60\n option interface-table timeout 300",
      sampling:
        "sampler FLOWLENS\n mode random 1 out-of 1000\ninterface INTERFACE\n ip flow monitor FLOWLENS sampler FLOWLENS input",
      ntp: "ntp server 192.0.2.123",
      directions:
        "! on every routed interface, not only the uplink\ninterface INTERFACE\n ip flow monitor FLOWLENS input\n ipv6 flow monitor FLOWLENS6 input",
      "ingress-only": "interface INTERFACE\n no ip flow monitor FLOWLENS output",
      fields:
        "flow record FLOWLENS\n match ipv4 protocol\n match ipv4 source address\n match ipv4 destination address\n match transport source-port\n match transport destination-port\n match interface input\n match flow direction\n collect interface output\n collect transport tcp flags\n collect counter bytes long\n collect counter packets long\n collect timestamp sys-uptime first\n collect timestamp sys-uptime last",
      load: "sampler FLOWLENS\n mode random 1 out-of 1000\nflow exporter FLOWLENS\n dscp 16",
      "newer-protocol":
        "flow exporter FLOWLENS\n destination 192.0.2.10\n export-protocol ipfix\n transport udp 4739\n template data timeout 60"
    }
  },
  {
    key: "nxos",
    name: "Cisco NX-OS",
    lines: {
      timeouts: "flow timeout active 60\nflow timeout inactive 15",
      templates: "flow exporter FLOWLENS\n version 9\n  template data timeout 60",
      options: "flow exporter FLOWLENS\n version 9\n  option exporter-stats timeout 60\n  option interface-table timeout 300",
      sampling: "sampler FLOWLENS\n mode 1 out-of 1000",
      ntp: "ntp server 192.0.2.123 use-vrf management",
      directions: "interface Ethernet1/1\n ip flow monitor FLOWLENS input",
      "ingress-only": "interface Ethernet1/1\n no ip flow monitor FLOWLENS output",
      fields:
        "flow record FLOWLENS\n match ipv4 source address\n match ipv4 destination address\n match ip protocol\n match transport source-port\n match transport destination-port\n collect transport tcp flags\n collect counter bytes long\n collect counter packets long\n collect timestamp sys-uptime first\n collect timestamp sys-uptime last",
      load: "sampler FLOWLENS\n mode 1 out-of 1000",
      "newer-protocol": "flow exporter FLOWLENS\n destination 192.0.2.10 use-vrf management\n transport udp 2055\n version 9"
    }
  },
  {
    key: "iosxr",
    name: "Cisco IOS-XR",
    lines: {
      timeouts: "flow monitor-map FLOWLENS\n cache timeout active 60\n cache timeout inactive 15",
      templates: "flow exporter-map FLOWLENS\n version v9\n  template data timeout 60",
      options: "flow exporter-map FLOWLENS\n version v9\n  options sampler-table timeout 60\n  options interface-table timeout 300",
      sampling: "sampler-map FLOWLENS\n random 1 out-of 1000",
      ntp: "ntp\n server 192.0.2.123",
      directions:
        "interface INTERFACE\n flow ipv4 monitor FLOWLENS sampler FLOWLENS ingress\n flow ipv6 monitor FLOWLENS6 sampler FLOWLENS ingress",
      "ingress-only": "interface INTERFACE\n no flow ipv4 monitor FLOWLENS sampler FLOWLENS egress",
      fields: "flow monitor-map FLOWLENS\n record ipv4",
      "datagram-size": "flow exporter-map FLOWLENS\n packet-length 1400",
      load: "sampler-map FLOWLENS\n random 1 out-of 4000",
      "newer-protocol": "flow exporter-map FLOWLENS\n destination 192.0.2.10\n transport udp 4739\n version ipfix"
    }
  },
  {
    key: "junos",
    name: "Juniper MX, SRX",
    lines: {
      timeouts:
        "set services flow-monitoring version-ipfix template FLOWLENS flow-active-timeout 60\nset services flow-monitoring version-ipfix template FLOWLENS flow-inactive-timeout 15",
      templates: "set services flow-monitoring version-ipfix template FLOWLENS template-refresh-rate seconds 60",
      options: "set services flow-monitoring version-ipfix template FLOWLENS option-refresh-rate seconds 60",
      sampling: "set forwarding-options sampling instance FLOWLENS input rate 1000",
      ntp: "set system ntp server 192.0.2.123",
      directions:
        "set interfaces ge-0/0/0 unit 0 family inet sampling input\nset interfaces ge-0/0/0 unit 0 family inet6 sampling input",
      "ingress-only": "delete interfaces ge-0/0/0 unit 0 family inet sampling output",
      fields:
        "set services flow-monitoring version-ipfix template FLOWLENS ipv4-template\nset services flow-monitoring version-ipfix template FLOWLENS flow-key flow-direction",
      load: "set forwarding-options sampling instance FLOWLENS input rate 4000\nset forwarding-options sampling instance FLOWLENS family inet output inline-jflow flow-export-rate 100",
      "newer-protocol":
        "set forwarding-options sampling instance FLOWLENS family inet output flow-server 192.0.2.10 port 4739\nset forwarding-options sampling instance FLOWLENS family inet output flow-server 192.0.2.10 version-ipfix template FLOWLENS"
    }
  },
  {
    key: "eos",
    name: "Arista EOS",
    lines: {
      timeouts:
        "flow tracking sampled\n tracker FLOWLENS\n  record export on interval 60000\n  record export on inactive timeout 15000",
      templates: "flow tracking sampled\n tracker FLOWLENS\n  exporter FLOWLENS\n   template interval 60000",
      sampling: "flow tracking sampled\n sample 1000",
      ntp: "ntp server 192.0.2.123",
      directions: "interface Ethernet1\n flow tracker sampled FLOWLENS",
      load: "flow tracking sampled\n sample 4000",
      "newer-protocol":
        "flow tracking sampled\n tracker FLOWLENS\n  exporter FLOWLENS\n   collector 192.0.2.10 port 4739\n no shutdown"
    }
  },
  {
    key: "fortinet",
    name: "Fortinet FortiGate",
    lines: {
      timeouts:
        "# seconds; FortiOS before 7.0 counts the active timeout in minutes\nconfig system netflow\n set active-flow-timeout 60\n set inactive-flow-timeout 15\nend",
      templates: "config system netflow\n set template-tx-timeout 60\n set template-tx-counter 20\nend",
      ntp: "config system ntp\n set ntpsync enable\n set type custom\n config ntpserver\n  edit 1\n   set server 192.0.2.123\n  next\n end\nend",
      directions: "config system interface\n edit PORT\n  set netflow-sampler both\n next\nend",
      "ingress-only": "config system interface\n edit PORT\n  set netflow-sampler rx\n next\nend"
    }
  },
  {
    key: "panos",
    name: "Palo Alto PAN-OS",
    lines: {
      timeouts: "# minutes\nset shared server-profile netflow FLOWLENS active-timeout 1",
      templates:
        "set shared server-profile netflow FLOWLENS template-refresh-rate minutes 1\nset shared server-profile netflow FLOWLENS template-refresh-rate packets 20",
      ntp: "set deviceconfig system ntp-servers primary-ntp-server ntp-server-address 192.0.2.123",
      directions:
        "# on every interface; the profile reports what comes in\nset network interface ethernet ethernet1/1 layer3 netflow-profile FLOWLENS"
    }
  },
  {
    key: "mikrotik",
    name: "MikroTik RouterOS",
    lines: {
      timeouts: "/ip traffic-flow set active-flow-timeout=1m inactive-flow-timeout=15s",
      templates: "/ip traffic-flow target set [find] v9-template-timeout=60 v9-template-refresh=20",
      sampling: "/ip traffic-flow set packet-sampling=yes sampling-interval=1 sampling-space=999",
      ntp: "/system ntp client set enabled=yes servers=192.0.2.123",
      directions: "/ip traffic-flow set enabled=yes interfaces=all",
      load: "/ip traffic-flow set packet-sampling=yes sampling-interval=1 sampling-space=999",
      "newer-protocol": "/ip traffic-flow target add dst-address=192.0.2.10 port=4739 version=ipfix"
    }
  },
  {
    key: "huawei",
    name: "Huawei VRP",
    lines: {
      timeouts: "# minutes, then seconds\nip netstream timeout active 1\nip netstream timeout inactive 15",
      templates: "ip netstream export template timeout-rate 1",
      options: "ip netstream export template option sampler\nip netstream export template option timeout-rate 1",
      sampling: "interface INTERFACE\n ip netstream sampler fix-packets 1000 inbound",
      ntp: "ntp-service unicast-server 192.0.2.123",
      directions: "interface INTERFACE\n ip netstream inbound",
      "ingress-only": "interface INTERFACE\n undo ip netstream outbound",
      fields: "ip netstream tcp-flag enable\nip netstream export index-switch 32",
      load: "interface INTERFACE\n ip netstream sampler fix-packets 4000 inbound",
      "newer-protocol": "ip netstream export version 9\nip netstream export host 192.0.2.10 2055"
    }
  },
  {
    key: "softflowd",
    name: "softflowd",
    lines: {
      timeouts: "softflowd -i INTERFACE -v 10 -n 192.0.2.10:4739 -t maxlife=60 -t general=15",
      sampling: "softflowd -i INTERFACE -v 10 -n 192.0.2.10:4739 -s 1000",
      ntp: "timedatectl set-ntp true",
      directions: "# the mirror port must carry both directions (rx and tx)\nsoftflowd -i INTERFACE -v 10 -n 192.0.2.10:4739",
      fields: "# 1 is the index that its interface gets\nsoftflowd -i 1:INTERFACE -v 10 -n 192.0.2.10:4739 -T full",
      load: "softflowd -i INTERFACE -v 10 -n 192.0.2.10:4739 -s 1000",
      "newer-protocol": "softflowd -i INTERFACE -v 10 -n 192.0.2.10:4739"
    }
  },
  {
    key: "pmacct",
    name: "pmacct (nfprobe)",
    lines: {
      timeouts: "nfprobe_timeouts: maxlife=60:general=15:expint=10",
      sampling: "sampling_rate: 1000",
      ntp: "timedatectl set-ntp true",
      directions: "# no pcap_filter or pre_tag_map that leaves one direction out\npcap_interface: INTERFACE",
      "ingress-only": "nfprobe_direction: in",
      fields:
        "# an interface has an index only where the plugin has a name; 1 is the one it gets\nplugins: nfprobe[flowlens]\naggregate[flowlens]: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags, in_iface, out_iface\nnfprobe_direction[flowlens]: in\nnfprobe_ifindex[flowlens]: 1",
      load: "sampling_rate: 1000",
      "newer-protocol": "nfprobe_version: 10\nnfprobe_receiver: 192.0.2.10:4739"
    }
  },
  {
    key: "ovs",
    name: "Open vSwitch",
    lines: {
      timeouts: "ovs-vsctl set IPFIX UUID cache_active_timeout=60 cache_max_flows=8192",
      templates: "# Open vSwitch 3.2 and later\novs-vsctl set IPFIX UUID template_interval=60",
      sampling: "ovs-vsctl set IPFIX UUID sampling=1000",
      ntp: "timedatectl set-ntp true",
      directions: "ovs-vsctl set IPFIX UUID other_config:enable-input-sampling=true",
      "ingress-only": "ovs-vsctl set IPFIX UUID other_config:enable-output-sampling=false",
      load: "ovs-vsctl set IPFIX UUID sampling=4000",
      "newer-protocol":
        'ovs-vsctl -- set Bridge BRIDGE ipfix=@i -- --id=@i create IPFIX targets=\\"192.0.2.10:4739\\" cache_active_timeout=60 sampling=1'
    }
  },
  {
    key: "vds",
    name: "VMware distributed switch",
    lines: {
      timeouts:
        "# PowerCLI, or vSphere Client: the switch, Configure, NetFlow\n$vds = Get-VDSwitch SWITCH\n$spec = New-Object VMware.Vim.VMwareDVSConfigSpec\n$spec.ConfigVersion = $vds.ExtensionData.Config.ConfigVersion\n$spec.IpfixConfig = $vds.ExtensionData.Config.IpfixConfig\n$spec.IpfixConfig.ActiveFlowTimeout = 60\n$spec.IpfixConfig.IdleFlowTimeout = 15\n$vds.ExtensionData.ReconfigureDvs($spec)",
      sampling: "# as for timeouts, with this line; 0 and 1 are unsampled\n$spec.IpfixConfig.SamplingRate = 1000",
      ntp: "Get-VMHost | Add-VMHostNtpServer 192.0.2.123\nGet-VMHost | Get-VMHostService | Where-Object Key -eq ntpd | Start-VMHostService",
      directions:
        "# as for timeouts, with this line: traffic that leaves the host is told too\n$spec.IpfixConfig.InternalFlowsOnly = $false",
      load: "# as for timeouts, with this line\n$spec.IpfixConfig.SamplingRate = 1000"
    }
  },
  {
    key: "hsflowd",
    name: "hsflowd (sFlow)",
    lines: {
      sampling:
        "# /etc/hsflowd.conf: of the interface, for a plain sampling line does not count where its speed is known\nsflow {\n  polling = 20\n  collector { ip = 192.0.2.10 udpport = 6343 }\n  pcap { dev = INTERFACE sampling = 1000 }\n}",
      ntp: "timedatectl set-ntp true",
      directions: "# /etc/hsflowd.conf: every interface, not only the uplink\nsflow {\n  pcap { speed = 1- }\n}",
      "datagram-size": "# /etc/hsflowd.conf\nsflow {\n  datagramBytes = 1400\n}",
      load: "# /etc/hsflowd.conf\nsflow {\n  pcap { dev = INTERFACE sampling = 4000 }\n}"
    }
  }
]

/** What to change on that system for that topic; undefined: it has no setting for it. */
export const linesFor = (vendor: string, topic: Topic): string | undefined =>
  topic === "appliance" ? applianceLines : vendors.find((one) => one.key === vendor)?.lines[topic]
