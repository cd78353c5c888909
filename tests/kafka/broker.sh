#!/usr/bin/env bash
# One Apache Kafka broker (KRaft, its own controller) on loopback, and the faults that tests give it.
#   broker.sh start | stop | kill | restart | wipe | status
# KAFKA_STATE names its directory: ports, pid, data, log. KAFKA_LIBS names the directory of its jars.
# With $KAFKA_STATE/proxy-port, clients of the first port are told that one; $KAFKA_STATE/direct-port has no proxy before it.
set -euo pipefail
state=${KAFKA_STATE:?names the directory of the broker}
libs=${KAFKA_LIBS:?names the directory of the jars}
port=$(cat "$state/port")
controller=$(cat "$state/controller-port")
proxy=$(cat "$state/proxy-port" 2>/dev/null || echo "$port")
direct=$(cat "$state/direct-port" 2>/dev/null || true)
cluster=MkU3OEVBNTcwNTJENDM2Qk
java=(java -Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$state/log4j2.properties" -cp "$libs/*")

configure() {
  cat >"$state/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller${direct:+,DIRECT://127.0.0.1:$direct}
advertised.listeners=PLAINTEXT://127.0.0.1:$proxy${direct:+,DIRECT://127.0.0.1:$direct}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DIRECT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$state/data
num.network.threads=2
num.io.threads=2
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=250
broker.session.timeout.ms=1500
auto.create.topics.enable=false
log.segment.bytes=16777216
PROPERTIES
  cat >"$state/log4j2.properties" <<PROPERTIES
status=error
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
PROPERTIES
}

# The pid is ours only while its command line names our own properties.
pid() {
  local number
  number=$(cat "$state/pid" 2>/dev/null) || return 1
  tr '\0' ' ' <"/proc/$number/cmdline" 2>/dev/null | grep -qF "$state/server.properties" && echo "$number"
}

listens() { (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# A process that is killed loses its command line first and its sockets last, when its last thread has ended. As long as
# it still answers on the port, a new broker would be thought to be up while nobody can be reached.
gone() {
  for _ in $(seq 150); do
    pid >/dev/null || listens || return 0
    sleep 0.2
  done
  echo "the broker does not end" >&2
  return 1
}

end() {
  local number
  number=$(pid) || return 0
  kill "-$1" "$number" && gone
}

# A broker that was killed may come back, give up in its start and take its time to end: that is no broker.
start() {
  if pid >/dev/null; then
    for _ in $(seq 40); do
      listens && return 0
      sleep 0.25
    done
    { echo "a broker without a port is begun anew; the end of its log:"; tail -30 "$state/kafka.log"; } >&2
    end KILL
  fi
  configure
  # With a static controller.quorum.voters, formatting takes no --standalone.
  [ -f "$state/data/meta.properties" ] || "${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "$cluster" -c "$state/server.properties" \
    >>"$state/format.log" 2>&1 || { cat "$state/format.log" >&2; return 1; }
  setsid "${java[@]}" kafka.Kafka "$state/server.properties" >>"$state/kafka.log" 2>&1 </dev/null &
  echo $! >"$state/pid"
  for _ in $(seq 240); do
    listens && return 0
    kill -0 "$(cat "$state/pid")" 2>/dev/null || break
    sleep 0.25
  done
  tail -30 "$state/kafka.log" >&2
  return 1
}

wipe() {
  end KILL
  rm -rf "$state/data"
  start
}

case ${1:-} in
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  restart) end TERM; start ;;
  wipe) wipe ;;
  status) pid >/dev/null ;;
  *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
