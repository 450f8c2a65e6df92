/** A request as the server sees it, and the way it takes. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly followRedirects: boolean;
  /** Whether the end of the body matters, however long it is. */
  readonly wholeBody: boolean;
  /** Where to connect instead of to the URL's host: the near end of a port-forward. */
  readonly via?: { readonly host: string; readonly port: number } | undefined;
}
