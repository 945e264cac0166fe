//! What is said, in both languages.
//!
//! In: nothing. Out: texts; `{}` stands for what was found. What always holds: both languages say the same.

use crate::publish::dashboard::Language;

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Say {
    en: &'static str,
    ja: &'static str,
}

impl Say {
    pub(super) fn get(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

const fn say(en: &'static str, ja: &'static str) -> Say {
    Say { en, ja }
}

/// How many questions there are.
pub(super) const QUESTIONS: usize = 5;

// The questions.

pub(super) const NEW_RELIC: Say = say("New Relic", "New Relic");
pub(super) const NEW_RELIC_WHY: Say = say(
    "Events go to one account of one data centre; both stand in the address line of New Relic's pages.",
    "イベントは一つのデータセンターの一つのアカウントへ送ります。どちらも New Relic の画面の URL でわかります。",
);
pub(super) const REGION: Say = say("Data centre: us, eu, jp", "データセンター：us、eu、jp");
pub(super) const ACCOUNT: Say = say(
    "Account id; dashboards ask all that are named, the first one gets the data",
    "アカウント ID（複数はカンマ区切り。ダッシュボードはすべてを参照し、データは最初のものへ送ります）",
);
pub(super) const KEY: Say = say("Licence key", "ライセンスキー");
pub(super) const KEY_WHY: Say = say(
    "Only the place of the ingest licence key is written: a variable (ECS puts secrets there) or a file. Never type the key.",
    "書き込むのは取り込み用ライセンスキーの在りかだけです。環境変数（ECS のシークレットなど）かファイルで指定し、キーそのものは入力しないでください。",
);
pub(super) const KEY_PLACE: Say = say("Where it is: env:NAME or file:PATH", "キーの在りか：env:変数名 または file:パス");
pub(super) const QUEUES: Say = say("Queues", "キュー");
pub(super) const QUEUES_WHY: Say = say(
    "The trail comes as notifications of its bucket, findings and AWS Config as EventBridge events, each on an SQS queue of its own.",
    "証跡はバケットの通知として、検出結果と AWS Config は EventBridge のイベントとして、それぞれ専用の SQS キューで受け取ります。",
);
pub(super) const TRAIL_QUEUE: Say = say("URL of the trail's queue, or none", "証跡のキューの URL（なければ none）");
pub(super) const TRAIL_BUCKET: Say =
    say("Bucket of the trail, or any that a notification names", "証跡のバケット名（通知にあるものすべてなら any）");
pub(super) const EVENT_QUEUE: Say =
    say("URL of the queue of EventBridge events, or none", "EventBridge イベントのキューの URL（なければ none）");
pub(super) const POSTURE: Say = say("AWS Config", "AWS Config");
pub(super) const POSTURE_WHY: Say = say(
    "What complies now is read from AWS Config itself: of the agent's own account, through an aggregator, or account by account with a role. With off, the pages about compliance and controls show nothing but changes.",
    "現在の準拠状況は AWS Config から直接読みます。自アカウント、アグリゲーター経由、ロールを使ったアカウントごと、のいずれかです。off の場合、準拠状況と統制のページに出るのは変化だけです。",
);
pub(super) const WHOSE: Say = say(
    "Whose: off, own, aggregator:NAME, or account ids with commas between",
    "対象：off、own（自アカウント）、aggregator:名前、またはカンマ区切りのアカウント ID",
);
pub(super) const REGIONS: Say = say("AWS Regions, with commas between", "AWS リージョン（カンマ区切り）");
pub(super) const AGGREGATOR_REGION: Say = say("AWS Region where the aggregator is", "アグリゲーターのあるリージョン");
pub(super) const ROLE: Say = say("Role that the agent takes in each account", "各アカウントで引き受けるロール");
pub(super) const CALENDAR: Say = say("Calendar", "カレンダー");
pub(super) const CALENDAR_WHY: Say = say(
    "Days, weeks and months of events and dashboards begin and end in one time zone.",
    "イベントとダッシュボードの日・週・月の区切りに使うタイムゾーンです。",
);
pub(super) const ZONE: Say = say("IANA time zone, as Asia/Tokyo", "IANA タイムゾーン（例：Asia/Tokyo）");

// What is wrong.

pub(super) const MISSING: Say = say("needed, and there is no default", "必須です（既定値はありません）");
pub(super) const OPEN: Say = say(
    "not given, and there is no terminal to ask on: give them, or --yes for the defaults",
    "指定がなく、質問できる端末もありません。指定するか、既定値でよければ --yes を付けてください",
);
pub(super) const HELP: Say =
    say("`cspm-relay quickstart --help` tells every flag", "`cspm-relay quickstart --help` で全オプションを確認できます");
pub(super) const ENDED: Say = say(
    "the input ended before the last question was answered; nothing was written",
    "最後の質問に答える前に入力が終わりました。何も書き込んでいません",
);
pub(super) const NO_REGION: Say = say(
    "{} is no data centre of New Relic: us, eu or jp is",
    "{} は New Relic のデータセンターではありません。us、eu、jp のいずれかです",
);
pub(super) const NO_ACCOUNT: Say = say(
    "{} is no New Relic account id: 1 to 10 digits are",
    "{} は New Relic のアカウント ID ではありません。1〜10 桁の数字です",
);
pub(super) const AWS_ACCOUNT: Say = say(
    "{} looks like an AWS account id; a New Relic account id has 1 to 10 digits",
    "{} は AWS のアカウント ID のようです。New Relic のアカウント ID は 1〜10 桁の数字です",
);
pub(super) const NO_PLACE: Say = say(
    "not a place of a key: env:NAME or file:PATH is (if it was the key itself, it is not needed here)",
    "キーの在りかではありません。env:変数名 または file:パス で指定します（キーそのものは不要です）",
);
pub(super) const NO_QUEUE: Say = say(
    "{} is no URL of an SQS queue: {allowed} is, or none",
    "{} は SQS キューの URL ではありません。{allowed} の形か none です",
);
pub(super) const SAME_QUEUE: Say =
    say("{} is the trail's queue: each needs one of its own", "{} は証跡のキューです。それぞれ専用のキューが必要です");
pub(super) const OTHER_PARTITION: Say = say(
    "{} is of another partition than the first queue ({partition}): one agent reads one partition",
    "{} は最初のキューと別のパーティションです（{partition}）。一つのエージェントが読むのは一つのパーティションです",
);
pub(super) const NO_BUCKET: Say = say(
    "{} is no bucket's name: 3 to 63 lower-case letters, digits, `.`, `-` are, or any",
    "{} はバケット名ではありません。英小文字・数字・`.`・`-` で 3〜63 文字、または any です",
);
pub(super) const BUCKET_ALONE: Say = say("there is no trail queue to go with it", "証跡のキューが指定されていません");
pub(super) const NO_POSTURE: Say = say(
    "{} is none of off, own, aggregator:NAME and account ids (12 digits, commas between)",
    "{} は off、own、aggregator:名前、アカウント ID（12 桁、カンマ区切り）のいずれでもありません",
);
pub(super) const NOTHING_TO_READ: Say = say(
    "nothing would be read: give a queue (--trail-queue, --event-queue), or own, aggregator:NAME or account ids here",
    "読むものがありません。キュー（--trail-queue、--event-queue）か、ここで own、aggregator:名前、アカウント ID を指定してください",
);
pub(super) const NO_AWS_REGION: Say =
    say("{} is no AWS Region, as eu-west-1 is", "{} は AWS リージョンではありません（例：ap-northeast-1）");
pub(super) const NO_ROLE: Say = say(
    "{} is no role's name, nor an ARN as arn:aws:iam::{account}:role/name",
    "{} はロール名でも arn:aws:iam::{account}:role/name の形の ARN でもありません",
);
pub(super) const ROLE_ALONE: Say = say(
    "a role is taken only where --posture names account ids",
    "ロールは --posture にアカウント ID を指定したときだけ使います",
);
pub(super) const REGIONS_ALONE: Say =
    say("no AWS Config is read: --posture says whose", "AWS Config を読まない設定です。対象は --posture で指定します");
pub(super) const AGGREGATOR_ALONE: Say =
    say("it goes with --posture aggregator:NAME only", "--posture aggregator:名前 のときだけ使います");
pub(super) const NO_LETTERS: Say = say(
    "{} is no place of dead letters: s3://bucket/prefix, the URL of an SQS queue ({allowed}), or none is",
    "{} はデッドレターの保存先ではありません。s3://バケット/プレフィックス、SQS キューの URL（{allowed}）、または none です",
);
pub(super) const FIFO_LETTERS: Say = say(
    "{} is a FIFO queue: it would refuse every dead letter, because they name no message group. Name a standard queue",
    "{} は FIFO キューです。デッドレターはメッセージグループを持たないため、すべて拒否されます。標準キューを指定してください",
);
pub(super) const SAME_LETTERS: Say = say(
    "{} is a queue that is read: dead letters need one of their own",
    "{} は読み取り用のキューです。デッドレターには専用のキューが必要です",
);
pub(super) const NO_ZONE: Say =
    say("{} is no IANA time zone, as Asia/Tokyo or UTC is", "{} は IANA タイムゾーンではありません（例：Asia/Tokyo、UTC）");
pub(super) const IS_THERE: Say = say("there already, nothing was written", "すでにあります。何も書き込んでいません");
pub(super) const IS_FOLDER: Say = say(
    "a folder, where a file is to be; nothing was written",
    "ファイルを書く場所にフォルダーがあります。何も書き込んでいません",
);
pub(super) const FORCE: Say =
    say("`--force` replaces them; `--dir` names another folder", "`--force` で置き換え、`--dir` で別のフォルダーに書き込みます");

// The configuration's comments.

pub(super) const FILE_HEAD: Say = say(
    "Written by `cspm-relay quickstart`; `cspm-relay check --example` shows every other key with its default.",
    "`cspm-relay quickstart` が作成しました。ほかの項目と既定値は `cspm-relay check --example` で確認できます。",
);
pub(super) const FILE_KEY: Say =
    say("Where the ingest licence key is, never the key itself.", "取り込み用ライセンスキーの在りか。キーそのものは書きません。");
pub(super) const FILE_TRAIL: Say = say("The trail's bucket, told by notifications.", "証跡のバケット（通知で知ります）。");
pub(super) const FILE_BUCKETS: Say = say("Only these may be read.", "読んでよいのはこれだけです。");
pub(super) const FILE_EVENTS: Say = say(
    "EventBridge events: findings, AWS Config, CloudTrail within seconds.",
    "EventBridge のイベント：検出結果、AWS Config、数秒で届く CloudTrail。",
);
pub(super) const FILE_POSTURE: Say =
    say("What complies now, from AWS Config itself, every six hours.", "現在の準拠状況。六時間ごとに AWS Config から読みます。");
pub(super) const FILE_AGGREGATOR: Say = say(
    "Where the aggregator is; iam-policy.json lets it be asked there alone.",
    "アグリゲーターのあるリージョン。iam-policy.json はここでの読み取りだけを許します。",
);
pub(super) const FILE_ROLE: Say = say(
    "Taken in each account but the agent's own; what it may do is in iam-role-policy.json.",
    "自アカウント以外で引き受けるロール。必要な権限は iam-role-policy.json にあります。",
);
pub(super) const FILE_ZONE: Say = say("Where days, weeks and months begin.", "日・週・月の区切り。");
pub(super) const FILE_STATE: Say = say(
    "What is known between two records. Without it a restart forgets since when something violates, and every finding is new.",
    "レコードの間で覚えておくこと。なければ再起動で違反の開始時刻を忘れ、検出結果はすべて新規になります。",
);
pub(super) const FILE_LETTERS: Say = say(
    "What cannot be read or is refused. Without it such a record goes back to its queue.",
    "読めないもの、拒まれたもの。なければキューへ戻します。",
);

// The end.

pub(super) const REMOVED: Say =
    say("Removed, as an earlier run wrote them and these answers do not:", "削除しました（以前の実行で作成され、今回は不要）：");
pub(super) const WRITTEN: Say = say("Written:", "書き込みました：");
pub(super) const NEXT: Say = say("Next:", "次のコマンド：");
pub(super) const EXPORT: Say =
    say("the ingest licence key; the file only says where it is", "インジェスト用ライセンスキー（ファイルには場所だけを書く）");
pub(super) const CHECK: Say = say("is it good, and how much will it send?", "設定の確認と送信量の見積もり");
pub(super) const DOCTOR: Say = say("do key, data centre and account fit?", "キー・データセンター・アカウントの確認");
pub(super) const RUN: Say = say("the agent", "エージェントの実行");
pub(super) const ANY_BUCKET: Say = say(
    "Note: no bucket was named, so the policy lets it read AWSLogs/ in any; --trail-bucket names yours.",
    "注意：バケットを指定していないため、ポリシーはすべてのバケットの AWSLogs/ の読み取りを許します。--trail-bucket で絞れます。",
);
pub(super) const ANY_CONFIG_BUCKET: Say = say(
    "Note: events name AWS Config's bucket, the configuration does not, so the policy lets it read AWSLogs/*/Config/ in any; put yours into the statements ConfigObjects and ConfigBucket.",
    "注意：AWS Config のバケットは設定になくイベントが示すため、ポリシーはすべてのバケットの AWSLogs/*/Config/ の読み取りを許します。ステートメント ConfigObjects と ConfigBucket をバケット名で絞れます。",
);
pub(super) const NO_STATE: Say = say(
    "Note: no state is kept yet; set `state` in the file, and let the policy read and write that bucket.",
    "注意：状態はまだ保存しません。ファイルの `state` を設定し、そのバケットの権限を加えてください。",
);

/// What a written file is for.
pub(super) fn file(name: &str) -> Say {
    match name {
        "cspm-relay.yml" => say("the configuration", "設定"),
        "dashboards/cspm.json" => say(
            "paste into New Relic's \"Import dashboard\"",
            "New Relic の「Import dashboard」に貼り付けるダッシュボード（英語）",
        ),
        "dashboards/cspm.ja.json" => say("the same in Japanese", "同じもの（日本語）"),
        name if name.starts_with("iam-letters-policy") => {
            say("for whoever runs `dlq list` and `dlq replay`", "`dlq list` と `dlq replay` を実行する人に付けるポリシー")
        }
        name if name.starts_with("iam-role-policy") => say(
            "for the role in each account, which the agent's role must be let take",
            "各アカウントのロールに付けるポリシー（エージェントのロールを信頼させます）",
        ),
        _ => say("for the role that runs the agent", "エージェントのロールに付けるポリシー"),
    }
}
