import { codeOf, describe, UserError } from "../../failure/index.ts";
import type { Answer } from "../transfer/wire.ts";
import type { Address } from "./address.ts";
import { deedOf, type Operation, permissionFor } from "./operation.ts";
import { parseXml, textIn } from "./xml.ts";

/** What S3 says of a refusal. Source: Amazon S3, "REST error responses". */
export interface Words {
  readonly code: string;
  readonly message: string;
  /** Of another region, where the bucket is there. */
  readonly region: string;
}

/** The answers to HEAD have no body; a status is all that is known. */
const BY_STATUS: Readonly<Record<number, string>> = {
  301: "PermanentRedirect",
  307: "TemporaryRedirect",
  400: "BadRequest",
  403: "AccessDenied",
  404: "NotFound",
  412: "PreconditionFailed",
  503: "SlowDown",
};

export function wordsIn({ status, headers, text }: Answer): Words {
  const root = parseXml(text.trim());
  const error = root?.name === "Error" ? root : undefined;
  return {
    code: textIn(error, "Code") || BY_STATUS[status] || `HTTP ${status}`,
    message: textIn(error, "Message").trim().replace(/\.$/, ""),
    region: headers["x-amz-bucket-region"] ?? textIn(error, "Region"),
  };
}

/** What was asked, for messages. */
export interface Question {
  readonly operation: Operation;
  /** The key, or empty for the bucket. */
  readonly key: string;
  readonly address: Address;
  /** Completes "signed in by ...". */
  readonly by: string;
}

interface Parts {
  readonly title: string;
  readonly remedy: string;
}

/** S3's refusal for people: what was asked, what it answered, and which permission is missing. */
export function refusal(question: Question, answer: Answer): S3Refusal {
  const words = wordsIn(answer);
  const { key, address, operation, by } = question;
  const what = key === "" ? `the bucket ${address.bucket}` : `s3://${address.bucket}/${key}`;
  const said = [words.code, words.message].filter(Boolean).join(": ");
  const { title, remedy } = partsOf(words, question, answer);
  const cause = `${what} cannot be ${deedOf(operation)}: ${address.base.host} answered ${answer.status}: ${said} (signed in by ${by}).`;
  return new S3Refusal(words.code, { title, cause, remedy });
}

/** A refusal, with the code that S3 gave it. */
export class S3Refusal extends UserError {
  readonly code: string;

  constructor(code: string, parts: ConstructorParameters<typeof UserError>[0]) {
    super(parts);
    this.code = code;
  }
}

const KEYS = {
  title: "The keys for the bucket are not accepted",
  remedy:
    "Check the access key and its secret: they may be mistyped, revoked, of another account, or of another server than the endpoint.",
};

function partsOf(words: Words, question: Question, { status, headers }: Answer): Parts {
  const { operation, address } = question;
  switch (words.code) {
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
    case "InvalidClientTokenId":
      return KEYS;
    case "InvalidToken":
    case "InvalidTokenId":
    case "ExpiredToken":
    case "TokenRefreshRequired":
      return {
        title: "The keys for the bucket have expired",
        remedy: "Sign in anew; give the session token with the keys, or a role by OIDC.",
      };
    case "NoSuchBucket":
      return {
        title: "There is no such bucket",
        remedy: `Check the bucket's name and the endpoint, or create ${address.bucket} first: a backup does not make buckets.`,
      };
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return {
        title: "The bucket is in another region",
        remedy: `Give the bucket's region${words.region === "" ? "" : `, ${words.region}`}: ${address.region} was asked.`,
      };
    case "RequestTimeTooSkewed":
      return {
        title: "The clock of the runner is wrong",
        remedy: `Set the runner's clock: the server's says ${headers.date ?? "another time"}.`,
      };
    case "InvalidObjectState":
      return {
        title: "The object is frozen",
        remedy:
          "Ask for a thaw first: its storage class (Glacier and its like) cannot be read at once.",
      };
    case "EntityTooLarge":
    case "QuotaExceeded":
    case "InsufficientStorage":
    case "XMinioStorageFull":
    case "XMinioAdminBucketQuotaExceeded":
      return {
        title: "The storage is full",
        remedy: "Raise the quota, keep fewer backups, or take another bucket.",
      };
    case "KMS.DisabledException":
    case "KMS.NotFoundException":
    case "KMS.KMSInvalidStateException":
    case "InvalidArgumentKMS":
      return {
        title: "The encryption key of the bucket cannot be used",
        remedy: "Check the KMS key's ID, that it is enabled, and in the bucket's region.",
      };
    default:
      return otherParts(words, operation, status);
  }
}

function otherParts({ message }: Words, operation: Operation, status: number): Parts {
  if (/object ?lock/i.test(message) && status === 400) {
    return {
      title: "The bucket cannot lock objects",
      remedy: "Enable Object Lock on the bucket (it needs versioning), or leave the lock out.",
    };
  }
  if (/kms:/.test(message)) {
    return {
      title: "The encryption key of the bucket may not be used",
      remedy: "Allow kms:GenerateDataKey and kms:Decrypt on the key to whoever signs in.",
    };
  }
  if (/WORM|object is locked|retention|legal hold/i.test(message)) {
    return {
      title: "The object is locked",
      remedy:
        "It can be deleted or replaced when its retention has passed and no legal hold is on it.",
    };
  }
  if (status === 403) {
    return {
      title: "A permission for the bucket is missing",
      remedy: `Allow ${permissionFor(operation)} to whoever signs in; look at the bucket's policy, too.`,
    };
  }
  if (status === 501) {
    return {
      title: "The storage cannot do what is asked of it",
      remedy: "See its words: leave that input out, or have the server set up for it.",
    };
  }
  if (status >= 500 || status === 429) {
    return {
      title: "The storage is not able to serve",
      remedy: "It was asked several times; look at the server's state, and run again later.",
    };
  }
  return {
    title: "The storage refused",
    remedy: "Look its words up in the documentation of the storage.",
  };
}

const TLS =
  /^(?:CERT_|ERR_TLS_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|HOSTNAME_MISMATCH|EPROTO|ERR_SSL_)/;

/** No answer came at all. */
export function unreachable({ address, operation, key }: Question, thrown: unknown): UserError {
  const code = codeOf(thrown) ?? "";
  const { base, bucket } = address;
  const what = key === "" ? `the bucket ${bucket}` : `s3://${bucket}/${key}`;
  const cause = `${what} cannot be ${deedOf(operation)}: ${base.origin} gave no whole answer: ${describe(thrown)}.`;
  if (/WRONG_VERSION|EPROTO/.test(code)) {
    return new UserError(
      {
        title: "The storage does not speak TLS as it should",
        cause,
        remedy: "The server may speak plain HTTP: then give the endpoint as http://...",
      },
      { reason: thrown },
    );
  }
  if (TLS.test(code)) {
    return new UserError(
      {
        title: "The certificate of the storage is not trusted",
        cause,
        remedy:
          "Give the certificate of the authority that signed it (PEM), and an endpoint whose name it holds.",
      },
      { reason: thrown },
    );
  }
  const isName = code === "ENOTFOUND" || code === "EAI_AGAIN";
  return new UserError(
    {
      title: "The storage cannot be reached",
      cause,
      remedy: isName
        ? "Check the endpoint's name, and the bucket's where it is part of it (path style avoids that)."
        : "Check the endpoint, that the server runs, and that this runner can reach it, or names the proxy in HTTPS_PROXY; then run again.",
    },
    { reason: thrown },
  );
}
