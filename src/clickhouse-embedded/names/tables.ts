/**
 * Table functions, table engines and formats by class. names.test.ts holds the lists against the running engine.
 */
import { words } from './name-words.ts';

/** They stay inside the engine. */
export const OPEN_TABLE_FUNCTIONS = words(`
  SQLStandardValues dictionary generateRandom generateSeries generate_series merge mergeTreeIndex mergeTreeProjection null numbers
  numbers_mt primes values view viewExplain viewIfPermitted zeros zeros_mt
`);

/** Files, networks, programs, and text that is run as SQL or parsed as data. */
export const CLOSED_TABLE_FUNCTIONS = words(`
  arrowstream azureBlobStorage azureBlobStorageCluster cluster clusterAllReplicas cosn deltaLake deltaLakeAzure deltaLakeAzureCluster
  deltaLakeCluster deltaLakeLocal deltaLakeS3 deltaLakeS3Cluster eval executable file fileCluster filesystem format fuzzJSON fuzzQuery
  gcs hdfs hdfsCluster hudi hudiCluster iceberg icebergAzure icebergAzureCluster icebergCluster icebergHDFS icebergHDFSCluster
  icebergLocal icebergLocalCluster icebergS3 icebergS3Cluster input jdbc loop mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID
  mergeTreeTextIndex mongodb mysql odbc oss paimon paimonAzure paimonAzureCluster paimonCluster paimonHDFS paimonHDFSCluster paimonLocal
  paimonS3 paimonS3Cluster postgresql prometheusQuery prometheusQueryRange redis remote remoteSecure s3 s3Cluster sqlite timeSeriesData
  timeSeriesMetrics timeSeriesSamples timeSeriesSelector timeSeriesTags url urlCluster ytsaurus
`);

/** They keep their rows in the engine's own folder. */
export const OPEN_TABLE_ENGINES = words(`
  AggregatingMergeTree CoalescingMergeTree CollapsingMergeTree Join Log MaterializedView Memory MergeTree Null ReplacingMergeTree Set
  StripeLog SummingMergeTree TinyLog VersionedCollapsingMergeTree View
`);

/** Files, networks, programs, replication, and tables that stand for other tables. */
export const CLOSED_TABLE_ENGINES = words(`
  Alias ArrowStream AzureBlobStorage AzureQueue Buffer COSN DeltaLake DeltaLakeAzure DeltaLakeLocal DeltaLakeS3 Dictionary Distributed
  EmbeddedRocksDB Executable ExecutablePool File FileLog FuzzJSON FuzzQuery GCS GenerateRandom GraphiteMergeTree HDFS Hudi Iceberg
  IcebergAzure IcebergHDFS IcebergLocal IcebergS3 JDBC Kafka KeeperMap Loop MaterializedPostgreSQL Merge MongoDB MySQL ODBC OSS Paimon
  PaimonAzure PaimonHDFS PaimonLocal PaimonS3 PostgreSQL QueryRunner Redis Remote RemoteSecure ReplicatedAggregatingMergeTree
  ReplicatedCoalescingMergeTree ReplicatedCollapsingMergeTree ReplicatedGraphiteMergeTree ReplicatedMergeTree
  ReplicatedReplacingMergeTree ReplicatedSummingMergeTree ReplicatedVersionedCollapsingMergeTree S3 S3Queue SQLite TimeSeries URL
  WindowView YTsaurus
`);

/** They need nothing but the bytes. */
export const OPEN_FORMATS = words(`
  Arrow ArrowStream Avro BSONEachRow Buffers CSV CSVWithNames CSVWithNamesAndTypes CustomSeparated CustomSeparatedIgnoreSpaces
  CustomSeparatedIgnoreSpacesWithNames CustomSeparatedIgnoreSpacesWithNamesAndTypes CustomSeparatedWithNames
  CustomSeparatedWithNamesAndTypes Form GeoJSON Hash JSON JSONAsObject JSONAsString JSONColumns JSONColumnsWithMetadata JSONCompact
  JSONCompactColumns JSONCompactEachRow JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes JSONCompactEachRowWithProgress
  JSONCompactStrings JSONCompactStringsEachRow JSONCompactStringsEachRowWithNames JSONCompactStringsEachRowWithNamesAndTypes
  JSONCompactStringsEachRowWithProgress JSONEachRow JSONEachRowWithProgress JSONL JSONLines JSONObjectEachRow JSONStrings
  JSONStringsEachRow JSONStringsEachRowWithProgress LineAsString LineAsStringWithNames LineAsStringWithNamesAndTypes MD Markdown MsgPack
  NDJSON Native Npy Null ORC One Parquet Pretty PrettyCompact PrettyCompactMonoBlock PrettyCompactNoEscapes
  PrettyCompactNoEscapesMonoBlock PrettyJSONEachRow PrettyJSONLines PrettyMonoBlock PrettyNDJSON PrettyNoEscapes
  PrettyNoEscapesMonoBlock PrettySpace PrettySpaceMonoBlock PrettySpaceNoEscapes PrettySpaceNoEscapesMonoBlock Prometheus Raw RawBLOB
  RawWithNames RawWithNamesAndTypes Regexp RowBinary RowBinaryWithDefaults RowBinaryWithNames RowBinaryWithNamesAndTypes
  RowBinaryWithNamesAndTypesAndDefaults SQLInsert TSKV TSV TSVRaw TSVRawWithNames TSVRawWithNamesAndTypes TSVWithNames
  TSVWithNamesAndTypes TabSeparated TabSeparatedRaw TabSeparatedRawWithNames TabSeparatedRawWithNamesAndTypes TabSeparatedWithNames
  TabSeparatedWithNamesAndTypes Values Vertical XML
`);

/** They read schemas or templates from files or registries, or speak protocols. */
export const CLOSED_FORMATS = words(`
  AvroConfluent DWARF MySQLDump MySQLWire ODBCDriver2 PNG ParquetMetadata PostgreSQLWire Protobuf ProtobufList ProtobufSingle Template
  TemplateIgnoreSpaces
`);

/** Folders of tables of its own; the other ones show files, networks or backups as tables. */
export const OPEN_DATABASE_ENGINES = words(`
  Atomic
`);

/** Everything else that the engine could take for a database. */
export const CLOSED_DATABASE_ENGINES = words(`
  Backup DataLakeCatalog Dictionary Filesystem HDFS MaterializedPostgreSQL Memory MySQL Ordinary PostgreSQL Replicated S3 SQLite
`);
