# To be sourced: checks Java and fetches the jars of Apache Kafka once from Maven Central into KAFKA_LIBS.
# Needs `root`, the checkout, and `not_run REASON`, which ends the script where the broker cannot be had.
command -v java >/dev/null || not_run "Java is missing; install a JDK, version 17 or later"
major=$(java -version 2>&1 | sed -nE '1s/.*version "([0-9]+).*/\1/p')
[ "${major:-0}" -ge 17 ] || not_run "Java ${major:-of unknown version} is too old; version 17 or later is needed"

# A change of the list of jars is a new directory; a fetch that was cut off leaves none.
export KAFKA_LIBS=$root/.artifacts/kafka/$(cksum <"$root/tests/kafka/pom.xml" | cut -d' ' -f1)
if [ ! -d "$KAFKA_LIBS" ]; then
  command -v mvn >/dev/null || not_run "Maven is missing; install it"
  mkdir -p "$(dirname "$KAFKA_LIBS")"
  draft=$KAFKA_LIBS.draft
  rm -rf "$draft"
  echo "kafka: fetching the broker from Maven Central (once)"
  mvn -q -B -f "$root/tests/kafka/pom.xml" dependency:copy-dependencies -DoutputDirectory="$draft" -DincludeScope=runtime \
    >"$KAFKA_LIBS.log" 2>&1 || not_run "the jars could not be fetched from Maven Central, see $KAFKA_LIBS.log"
  mv "$draft" "$KAFKA_LIBS"
fi
