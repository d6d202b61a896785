import { ImplicamError } from '../../model/errors.js';
import { isObjectKey } from '../objects.js';

/** Which bucket of which S3-compatible store, and who asks. */
export interface S3Place {
  /** As people write it, without what is the default: s3://BUCKET/PREFIX */
  readonly name: string;
  readonly bucket: string;
  /** Before every key; empty, or ending with a slash. */
  readonly prefix: string;
  /** URL of the bucket, without a slash at its end. */
  readonly url: string;
  readonly region: string;
  readonly credentials: S3Credentials;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export type StoreEnvironment = Readonly<Record<string, string | undefined>>;

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9-]{2,40}$/;

/** Whether a location names an S3 store, and not a folder. */
export const isS3Location = (location: string): boolean => /^s3:/i.test(location);

/**
 * Reads `s3://BUCKET/PREFIX?endpoint=URL&region=REGION`. Without an endpoint it is Amazon's; credentials, and whatever
 * of the rest the location leaves out, come from the usual variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.
 *
 * @throws ImplicamError `store-location`
 */
export function readS3Location(location: string, env: StoreEnvironment): S3Place {
  if (!URL.canParse(location)) throw wrong('it is no URL');
  const { protocol, hostname: bucket, pathname, searchParams, username, password } = new URL(location);
  if (protocol !== 's3:') throw wrong('it is no s3:// location');
  if (username || password) throw wrong('credentials go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  if (!BUCKET.test(bucket)) throw wrong(`'${bucket}' cannot be the name of a bucket`);
  const path = pathname.replace(/^\/+|\/+$/g, '');
  if (path !== '' && !isObjectKey(path)) throw wrong(`'${path}' cannot be a prefix of keys`);
  for (const name of searchParams.keys()) {
    if (name !== 'endpoint' && name !== 'region') throw wrong(`it knows no '${name}'`);
  }
  const region = searchParams.get('region') || env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1';
  if (!REGION.test(region)) throw wrong(`'${region}' cannot be a region`);
  const endpoint = searchParams.get('endpoint') || env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  return {
    name: `s3://${bucket}${path && '/'}${path}`,
    bucket,
    prefix: path && `${path}/`,
    url: bucketUrl(bucket, region, endpoint),
    region,
    credentials: credentialsOf(env),
  };
}

/** Amazon wants the bucket in the host's name, except where its dots break the certificate; all others take paths. */
function bucketUrl(bucket: string, region: string, endpoint: string | undefined): string {
  if (!endpoint) {
    const host = `s3.${region}.amazonaws.com`;
    return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
  }
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw wrong(`the endpoint '${endpoint}' is no http:// or https:// URL`);
  }
  const { origin, pathname } = new URL(endpoint);
  return `${origin}${pathname.replace(/\/+$/, '')}/${bucket}`;
}

function credentialsOf(env: StoreEnvironment): S3Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new ImplicamError(
      'store-location',
      'the object store is S3, and there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      { exitCode: 2 },
    );
  }
  const sessionToken = env.AWS_SESSION_TOKEN;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** Never quotes the location: who writes credentials into it by mistake shall not find them in a log. */
function wrong(why: string): ImplicamError {
  return new ImplicamError(
    'store-location',
    `the location of the object store cannot be used: ${why}; write a folder, or ` +
      's3://BUCKET/PREFIX?endpoint=URL&region=REGION',
    { exitCode: 2 },
  );
}
