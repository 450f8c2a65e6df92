/** The passwords in the addresses of a text, as they are written and as they are meant. */
export function passwordsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/[a-z][\w+.-]*:\/\/[^\s/:@]*:([^\s@]+)@/gi)].flatMap(
    ([, password = ""]) => [password, decoded(password)],
  );
  // libpq takes a password as a parameter of its address too.
  const parameters = [...text.matchAll(/[?&](?:password|sslpassword)=([^&\s]+)/gi)].flatMap(
    ([, password = ""]) => [password, decoded(password)],
  );
  return [...new Set([...found, ...parameters])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
