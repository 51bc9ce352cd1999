-- returns 1..1 rows of 1 columns, takes 1 parameters
SELECT to_regnamespace(quote_ident($1::text)) IS NOT NULL
