/** The published client. */

export { HuntClient, type ClientAnswer, type ClientHello, type ClientOptions, type JsonEvent } from './hunt-client.ts';
