/**
 * Names of services by protocol and port, and the operator's own on top. Facts of the IANA service name and port number registry
 * (RFC 6335) and of the makers' documentation; what everybody calls a service wins over its registered name (`ms-wbt-server` is RDP).
 */
export interface Service {
  readonly protocol: number
  readonly port: number
  /** Short, lower case, unique per protocol and port: `postgresql`. */
  readonly name: string
  readonly title: string
  /** Clients listen on it (DHCP), so it never says which end serves. */
  readonly client?: boolean
}

const TCP = 6
const UDP = 17
const SCTP = 132

/** `name port[,port…] protocols title`; protocols: t TCP, u UDP, s SCTP. A `-` before the name: the client's end. */
const table = `
tcpmux 1 t TCP multiplexer
echo 7 tu Echo
discard 9 tu Discard
daytime 13 tu Daytime
chargen 19 tu Character generator
ftp-data 20 t FTP data
ftp 21 t FTP
ssh 22 t SSH
telnet 23 t Telnet
smtp 25 t SMTP
time 37 tu Time
whois 43 t WHOIS
tacacs 49 tu TACACS+
dns 53 tu DNS
dhcp-server 67 u DHCP
-dhcp-client 68 u DHCP client
tftp 69 u TFTP
gopher 70 t Gopher
finger 79 t Finger
http 80 tu HTTP
kerberos 88 tu Kerberos
pop3 110 t POP3
rpcbind 111 tu ONC RPC port mapper
ident 113 t Ident
nntp 119 t NNTP
ntp 123 u NTP
epmap 135 tu Microsoft RPC endpoint mapper
netbios-ns 137 tu NetBIOS name service
netbios-dgm 138 u NetBIOS datagram
netbios-ssn 139 t NetBIOS session
imap 143 t IMAP
snmp 161 tu SNMP
snmp-trap 162 tu SNMP traps
xdmcp 177 u XDMCP
bgp 179 t BGP
irc 194 t IRC
smux 199 t SNMP multiplexer
bgmp 264 t BGMP
ldap 389 tu LDAP
slp 427 tu Service location
https 443 tu HTTPS
microsoft-ds 445 tu SMB
kpasswd 464 tu Kerberos password change
smtps 465 t SMTP over TLS
isakmp 500 u IKE
modbus 502 t Modbus
exec 512 t rexec
login 513 t rlogin
who 513 u rwho
shell 514 t rsh
syslog 514 u Syslog
printer 515 t LPD
talk 517 u Talk
rip 520 u RIP
ripng 521 u RIPng
timed 525 u Time daemon
rtsp 554 tu RTSP
-dhcpv6-client 546 u DHCPv6 client
dhcpv6-server 547 u DHCPv6
afp 548 t Apple file sharing
nntps 563 t NNTP over TLS
submission 587 t Mail submission
http-rpc 593 t Microsoft RPC over HTTP
ipmi 623 u IPMI
ipp 631 tu Internet printing
ldaps 636 t LDAP over TLS
ldp 646 tu MPLS label distribution
olsr 698 u OLSR
epp 700 t EPP
babel 6696 u Babel
kerberos-adm 749 t Kerberos administration
netconf 830 t NETCONF
dot 853 t DNS over TLS
doq 853 u DNS over QUIC
rsync 873 t rsync
vmware-auth 902 tu VMware authentication
ftps-data 989 t FTP over TLS data
ftps 990 t FTP over TLS
telnets 992 t Telnet over TLS
imaps 993 t IMAP over TLS
pop3s 995 t POP3 over TLS
socks 1080 t SOCKS
java-rmi 1099 t Java RMI registry
openvpn 1194 tu OpenVPN
nessus 1241 t Nessus
lotus-notes 1352 t HCL Notes
ms-sql 1433 t Microsoft SQL Server
ms-sql-browser 1434 u Microsoft SQL Server browser
citrix-ica 1494 t Citrix ICA
wins 1512 tu WINS
oracle 1521 t Oracle listener
oracle-alt 1526 t Oracle listener
ingres 1524 t Ingres
oracle-ssl 2484 t Oracle over TLS
l2tp 1701 u L2TP
h323 1720 t H.323 call signalling
pptp 1723 t PPTP
radius 1812 u RADIUS
radius-acct 1813 u RADIUS accounting
radius-old 1645 u RADIUS
radius-acct-old 1646 u RADIUS accounting
mqtt 1883 t MQTT
ssdp 1900 u SSDP
hsrp 1985 u HSRP
rtmp 1935 t RTMP
nfs 2049 tu NFS
cpanel 2082 t cPanel
cpanel-ssl 2083 t cPanel over TLS
etcd-legacy 4001 t etcd
zookeeper 2181 t ZooKeeper
gtp-control 2123 u GTP control
gtp-user 2152 u GTP user
netflow 2055 u NetFlow
docker 2375 t Docker
docker-tls 2376 t Docker over TLS
docker-swarm 2377 t Docker Swarm
etcd 2379 t etcd
etcd-peer 2380 t etcd peers
zookeeper-peer 2888 t ZooKeeper peers
zookeeper-election 3888 t ZooKeeper election
squid 3128 t Squid
global-catalog 3268 t Active Directory global catalogue
global-catalog-ssl 3269 t Active Directory global catalogue over TLS
iscsi 3260 t iSCSI
mysql 3306 t MySQL
mysqlx 33060 t MySQL X
rdp 3389 tu Remote desktop
stun 3478 tu STUN
stuns 5349 tu STUN over TLS
nut 3493 t Network UPS tools
svn 3690 t Subversion
diameter 3868 ts Diameter
bfd-control 3784 u BFD
bfd-echo 3785 u BFD echo
bfd-multihop 4784 u BFD multihop
lispdata 4341 u LISP data
lispcontrol 4342 u LISP control
erlang-epmd 4369 t Erlang port mapper
nat-t 4500 u IKE through NAT
ipfix 4739 tus IPFIX
ipfix-tls 4740 tu IPFIX over TLS
vxlan 4789 u VXLAN
vxlan-gpe 4790 u VXLAN GPE
radmin 4899 t Radmin
upnp 5000 t UPnP
iperf 5001 tu iperf
iperf3 5201 tu iperf3
sip 5060 tus SIP
sips 5061 ts SIP over TLS
nat-pmp 5351 u NAT-PMP
mdns 5353 u mDNS
llmnr 5355 tu LLMNR
postgresql 5432 t PostgreSQL
pgbouncer 6432 t PgBouncer
rfb 5900,5901,5902 t VNC
kibana 5601 t Kibana
amqps 5671 t AMQP over TLS
amqp 5672 t AMQP
rabbitmq-cluster 25672 t RabbitMQ cluster
rabbitmq-admin 15672 t RabbitMQ administration
coap 5683 u CoAP
coaps 5684 u CoAP over DTLS
couchdb 5984 t CouchDB
winrm 5985 t WinRM
winrm-ssl 5986 t WinRM over TLS
x11 6000,6001 t X11
geneve 6081 u Geneve
redis 6379 t Redis
redis-cluster 16379 t Redis cluster
redis-sentinel 26379 t Redis Sentinel
sflow 6343 u sFlow
kube-api 6443 t Kubernetes API
ircd 6667 t IRC
irc-tls 6697 t IRC over TLS
openflow 6653 t OpenFlow
ovsdb 6640 t OVSDB
ceph-mon 3300,6789 t Ceph monitor
ceph-osd 6800,6801,6802,6803 t Ceph storage daemon
cassandra-peer 7000 t Cassandra peers
cassandra-peer-tls 7001 t Cassandra peers over TLS
cassandra-jmx 7199 t Cassandra JMX
cassandra 9042 t Cassandra
cassandra-thrift 9160 t Cassandra Thrift
neo4j 7474 t Neo4j HTTP
neo4j-bolt 7687 t Neo4j Bolt
consul 8300,8301,8302 t Consul
consul-http 8500 t Consul HTTP
consul-dns 8600 tu Consul DNS
nomad 4646,4647,4648 t Nomad
vault 8200 t Vault
vault-cluster 8201 t Vault cluster
splunk-web 8000 t Splunk web
splunk-hec 8088 t Splunk event collector
splunk-mgmt 8089 t Splunk management
splunk-forward 9997 t Splunk forwarding
http-alt 8080,8081,8008,8888 t HTTP, alternative port
https-alt 8443,9443 t HTTPS, alternative port
ajp 8009 t AJP
influxdb 8086 t InfluxDB
clickhouse-http 8123 t ClickHouse HTTP
jdwp 8787 t Java debug wire
puppet 8140 t Puppet
salt 4505,4506 t Salt
mqtts 8883 t MQTT over TLS
bitcoin 8333 t Bitcoin
kafka 9092 t Kafka
kafka-ssl 9093,9094 t Kafka over TLS
prometheus 9090 t Prometheus
alertmanager 9093 t Alertmanager
node-exporter 9100 t Node exporter, raw printing
elasticsearch 9200 t Elasticsearch
elasticsearch-peer 9300 t Elasticsearch peers
git 9418 t Git
bacula-dir 9101 t Bacula director
bacula-fd 9102 t Bacula client
bacula-sd 9103 t Bacula storage
nutanix-prism 9440 t Nutanix Prism
veeam 9392,9401 t Veeam backup
veeam-mount 6160,6162 t Veeam agents
ndmp 10000 t NDMP, Webmin
zabbix-agent 10050 t Zabbix agent
zabbix-server 10051 t Zabbix server
kubelet 10250 t Kubelet
kube-scheduler 10259 t Kubernetes scheduler
kube-controller 10257 t Kubernetes controllers
memcached 11211 tu Memcached
gluster 24007,24008 t Gluster
netbackup 1556,13724 t NetBackup
netbackup-daemon 13782 t NetBackup
commvault 8400,8403 t Commvault
sap-dispatcher 3200,3201 t SAP dispatcher
sap-gateway 3300,3301 t SAP gateway
sap-message 3600,3601 t SAP message server
sap-hana 30013,30015 t SAP HANA
db2 50000 t Db2
db2-admin 523 tu Db2 administration
informix 9088 t Informix
sybase 5000 t SAP ASE
firebird 3050 t Firebird
teradata 1025 t Teradata
vertica 5433 t Vertica
mongodb 27017,27018,27019 t MongoDB
couchbase 8091,11210 t Couchbase
hdfs-namenode 8020,9870 t HDFS name node
hdfs-datanode 9866,9867 t HDFS data node
yarn 8032,8030 t YARN
hbase 16000,16020 t HBase
hive 10000 t Hive
spark 7077 t Spark
nats 4222 t NATS
nats-cluster 6222 t NATS cluster
pulsar 6650 t Pulsar
activemq 61616 t ActiveMQ
stomp 61613 t STOMP
ibm-mq 1414 t IBM MQ
minio 9000 t MinIO, ClickHouse native
jaeger 14268 t Jaeger
otlp-grpc 4317 t OpenTelemetry gRPC
otlp-http 4318 t OpenTelemetry HTTP
loki 3100 t Loki
grafana 3000 t Grafana
graphite 2003,2004 tu Graphite
statsd 8125 u StatsD
gelf 12201 tu GELF
beats 5044 t Beats
syslog-tls 6514 tu Syslog over TLS
collectd 25826 u collectd
nrpe 5666 t NRPE
nsca 5667 t NSCA
checkmk 6556 t Checkmk agent
snmp-tls 10161 tu SNMP over TLS
gnmi 9339 t gNMI
grpc 50051 t gRPC
bmp 11019 t BGP monitoring
rpki-rtr 323,8282 t RPKI to router
ipmi-secure 664 tu Secure IPMI
vmware-vmotion 8000 u vMotion
vsan 2233 t vSAN
vmware-vcha 8182 t vSphere HA
s7 102 t ISO transport, Siemens S7
ethernet-ip 44818 tu EtherNet/IP
ethernet-ip-io 2222 u EtherNet/IP I/O
dnp3 20000 tu DNP3
bacnet 47808 u BACnet
opc-ua 4840 t OPC UA
iec-104 2404 t IEC 60870-5-104
fins 9600 u Omron FINS
profinet 34962,34963,34964 tu PROFINET
knx 3671 tu KNX
ads 48898 t Beckhoff ADS
hart-ip 5094 tu HART-IP
wireguard 51820 u WireGuard
zerotier 9993 u ZeroTier
tailscale 41641 u Tailscale
teamviewer 5938 tu TeamViewer
anydesk 7070 t AnyDesk
citrix-cgp 2598 t Citrix session reliability
pcoip 4172 tu PCoIP
blast 22443 tu VMware Blast
ws-discovery 3702 u WS-Discovery
adws 9389 t Active Directory web services
dfsr 5722 t DFS replication
ldp-targeted 711 t Tag distribution
mgcp 2427,2727 u MGCP
sccp 2000 t Cisco SCCP
iax 4569 u IAX
asterisk-manager 5038 t Asterisk manager
m3ua 2905 s M3UA
s1ap 36412 s S1AP
ngap 38412 s NGAP
x2ap 36422 s X2AP
pfcp 8805 u PFCP
minecraft 25565 t Minecraft
steam 27015 tu Steam
torrent 6881 tu BitTorrent
plex 32400 t Plex
sonarr 8989 t Sonarr
proxmox 8006 t Proxmox VE
corosync 5404,5405 u Corosync
pacemaker 3121 t Pacemaker
drbd 7788,7789 t DRBD
libvirt 16509,16514 t libvirt
qemu-migration 49152 t Live migration
hyper-v 2179 t Hyper-V console
hyper-v-live 6600 t Hyper-V live migration
cluster-service 3343 tu Failover cluster
sql-mirroring 5022 t SQL Server mirroring
wsus 8530,8531 t WSUS
sccm 10123 t Configuration Manager
zoom 8801,8802 tu Zoom
rpc-nfs-mount 20048 tu NFS mount
nfs-lock 4045 tu NFS lock manager
kerberos-v4 750 u Kerberos v4
gridftp 2811 t GridFTP
slurm 6817,6818 t Slurm
lustre 988 t Lustre
gpfs 1191 t Spectrum Scale
nvme-tcp 4420 tu NVMe over fabrics
nvme-discovery 8009 u NVMe discovery
roce 4791 u RoCEv2
fcip 3225 t FCIP
isns 3205 tu iSNS
ptp-event 319 u PTP event
ptp-general 320 u PTP general
twamp 862 tu TWAMP
ip-sla 1967 u IP SLA
capwap-control 5246 u CAPWAP control
capwap-data 5247 u CAPWAP data
lwapp 12222,12223 u LWAPP
tr069 7547 t TR-069
wccp 2048 u WCCP
mpls-udp 6635 u MPLS in UDP
gre-udp 4754 u GRE in UDP
teredo 3544 u Teredo
`

const protocols: Readonly<Record<string, number>> = { t: TCP, u: UDP, s: SCTP }

const key = (protocol: number, port: number): number => protocol * 65536 + port

const read = (): ReadonlyMap<number, Service> => {
  const services = new Map<number, Service>()
  for (const line of table.trim().split("\n")) {
    const [word = "", ports = "", kinds = "", ...title] = line.split(" ")
    const client = word.startsWith("-")
    for (const port of ports.split(",").map(Number)) {
      for (const kind of kinds) {
        const protocol = protocols[kind]!
        const name = client ? word.slice(1) : word
        const service: Service = { protocol, port, name, title: title.join(" "), ...(client ? { client } : {}) }
        // Two makers chose some ports twice; the first line that has one names it.
        if (!services.has(key(protocol, port))) services.set(key(protocol, port), service)
      }
    }
  }
  return services
}

const known = read()

/** Every shipped service, by protocol and port. */
export const services: ReadonlyArray<Service> = [...known.values()]

export interface ServiceNames {
  readonly lookup: (protocol: number, port: number) => Service | undefined
  /** Short name, or undefined when nobody knows one. */
  readonly name: (protocol: number, port: number) => string | undefined
  /** All of them, the operator's before the shipped ones they replace. */
  readonly all: () => ReadonlyArray<Service>
}

/** The shipped table with the operator's services on top. An override of a shipped service replaces its name wholly. */
export const makeServiceNames = (overrides: Iterable<Service> = []): ServiceNames => {
  const own = new Map<number, Service>()
  for (const service of overrides) own.set(key(service.protocol, service.port), service)
  const lookup = (protocol: number, port: number) => own.get(key(protocol, port)) ?? known.get(key(protocol, port))
  return {
    lookup,
    name: (protocol, port) => lookup(protocol, port)?.name,
    all: () => [...own.values(), ...services.filter((service) => !own.has(key(service.protocol, service.port)))]
  }
}
