import { assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { schemaText } from "./schema_text.ts";

Deno.test("schemaText() spells out tables, keys, checks, indexes, views, functions and triggers", async () => {
  await using db = await testDatabase({ migrated: false });
  await db.sql.unsafe(`
    create table b (id bigint generated always as identity primary key, "Odd" text default 'x');
    create table a (b_id bigint not null references b, n numeric(18, 4) check (n > 0))
      with (fillfactor = 80);
    create index a_by_n on a (n desc) where n > 1;
    create view v as select n from a;
    create function f(x int) returns int language sql as $$ select x $$;
    create function t() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger b_gone after delete on b for each statement execute function t();`);

  const text = await schemaText(db.sql);

  assertEquals(text.split("\n").slice(2, 15), [
    "create table a (",
    "  b_id bigint not null,",
    "  n numeric(18,4),",
    "  constraint a_n_check CHECK ((n > (0)::numeric)),",
    "  constraint a_b_id_fkey FOREIGN KEY (b_id) REFERENCES b(id)",
    ") with (fillfactor=80);",
    "CREATE INDEX a_by_n ON public.a USING btree (n DESC) WHERE (n > (1)::numeric);",
    "",
    "create table b (",
    "  id bigint not null generated always as identity,",
    "  \"Odd\" text default 'x'::text,",
    "  constraint b_pkey PRIMARY KEY (id)",
    ");",
  ]);
  assertEquals(/CREATE OR REPLACE FUNCTION public\.f\(x integer\)/.test(text), true);
  assertEquals(/CREATE TRIGGER b_gone AFTER DELETE ON public\.b /.test(text), true);
  assertEquals(/create view v as\nSELECT (a\.)?n\n/.test(text), true);
});
