// What a page remembers in this browser. Storage may be switched off; pages work without.

export function memory_of(page) {
  return {
    read(name) {
      try {
        return localStorage.getItem(`streamsuites.${page}.${name}`);
      } catch {
        return null;
      }
    },
    write(name, value) {
      try {
        localStorage.setItem(`streamsuites.${page}.${name}`, value);
      } catch {
        // As above.
      }
    },
  };
}
