# tests/integration/postgis_test.py - SPDX-License-Identifier: Apache-2.0
"""Points, lines and areas as columns of PostGIS, where it is installed."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "harness"))
import odks  # noqa: E402
import tap  # noqa: E402

FORM = "places"
RING = [[14, 50, 1], [15, 50, 2], [15, 51, 3]]


def geo(type_, coordinates, **properties):
    value = {"type": type_, "coordinates": coordinates}
    return {**value, "properties": properties} if properties else value


class World(odks.World):
    """A world with a form of geography, and PostGIS in a schema."""

    def __init__(self, postgis="public", **job):
        super().__init__()
        self.job("places", form=FORM, **job)
        self.postgis = postgis

    def __enter__(self):
        super().__enter__()
        if self.postgis is not None:
            self.install(self.postgis)
        self.init()
        self.publish("1", "spot:geopoint", "way:geotrace", "area:geoshape",
                     {"r[]": ["place:geopoint"]})
        return self

    def install(self, schema):
        self.session.run(f'CREATE SCHEMA IF NOT EXISTS "{schema}";'
                         f' CREATE EXTENSION postgis SCHEMA "{schema}"')

    def publish(self, version, *fields):
        self.central.publish(FORM, version, list(fields))
        self.central.clock(advance=60)

    def submit(self, data):
        self.central.clock(advance=1)
        return self.central.create(FORM, data=data)["id"]

    def sync(self, *args):
        self.central.clock(advance=3600)
        return self.ok("run", *args)

    def types(self, table=FORM):
        return [row["type"] for row in self.session.rows(
            "SELECT format_type(atttypid, atttypmod) AS type"
            f" FROM pg_attribute WHERE attrelid = 'odk.{table}'::regclass"
            " AND attname ~ '^(spot2?|way|area)$'"
            " AND NOT attisdropped ORDER BY attname")]

    def texts(self, columns, table=FORM):
        gis = f'"{self.postgis}"'
        columns = ", ".join(f"{gis}.ST_AsEWKT({c}) AS {c}"
                            for c in columns.split())
        return [list(row.values()) for row in self.session.rows(
            f"SELECT {columns} FROM odk.{table} ORDER BY 1")]


def fill(w):
    w.submit({"spot": geo("Point", [14.5, 50.25, 300.5], accuracy=4.5),
              "way": geo("LineString", RING, accuracies=[1, None, 2]),
              "area": geo("Polygon", [RING]),
              "r": [{"place": geo("Point", [-1, -2])}]})


def check_filled(w):
    tap.equal(w.texts("spot way area"),
              [["SRID=4326;POINT(14.5 50.25 300.5)",
                "SRID=4326;LINESTRING(14 50 1,15 50 2,15 51 3)",
                "SRID=4326;POLYGON((14 50 1,15 50 2,15 51 3,14 50 1))"]],
              "geometries")
    tap.equal(w.texts("place", "places__r"), [["SRID=4326;POINT(-1 -2 0)"]],
              "of the repeat")
    tap.equal(list(w.session.rows(
        "SELECT spot_lat, spot_lon, spot_alt, spot_acc FROM odk.places")[0].values()),
        [50.25, 14.5, 300.5, 4.5], "numbers beside it")


def test_columns_are_geometries():
    with World() as w:
        fill(w)
        w.sync()
        check_filled(w)
        tap.equal(w.types(), ["geometry(PolygonZ,4326)",
                              "geometry(PointZ,4326)",
                              "geometry(LineStringZ,4326)"], "types")
        tap.equal(w.session.rows(
            "SELECT f_table_name, f_geometry_column, srid, type"
            " FROM geometry_columns WHERE f_table_schema = 'odk'"
            " AND f_table_name LIKE 'v\\_%' ORDER BY 1, 2")[0],
            {"f_table_name": "v_places", "f_geometry_column": "area",
             "srid": 4326, "type": "POLYGON"}, "what QGIS sees")


def test_extension_in_a_schema_of_its_own():
    """Out of search_path, and with a name that wants quotes."""
    with World("GIS things", overlap="1d") as w:
        fill(w)
        w.sync()
        check_filled(w)
        before = w.session.rows("SELECT xmin::text AS x FROM odk.places")
        w.sync()
        tap.equal(w.session.rows("SELECT xmin::text AS x FROM odk.places"),
                  before, "an unchanged row is not written")
        id_ = w.central.state(FORM)["live"][0]["__id"]
        w.central.edit(FORM, id_, data={"spot": geo("Point", [1, 2, 3])})
        w.sync()
        tap.equal(w.texts("spot way"), [["SRID=4326;POINT(1 2 3)", None]], "edit")


def test_what_is_no_geometry_goes_on_record():
    with World() as w:
        w.submit({"way": geo("LineString", [[14, 50]]),
                  "area": geo("Polygon", [RING[:2]]),
                  "spot": geo("Point", [1])})
        fill(w)
        w.sync()
        tap.equal([list(r.values()) for r in w.session.rows(
            "SELECT path, reason FROM odk_sync_reject ORDER BY 1")],
            [["/area", "a ring of fewer than three points"],
             ["/spot", "no position"],
             ["/way", "a line of one point"]], "rejects")
        tap.equal(w.session.value(
            "SELECT count(*) FROM odk.places WHERE spot IS NULL AND way IS NULL"
            " AND area IS NULL AND spot_lat IS NULL"), 1, "rows without")


def test_a_database_that_gets_the_extension_later():
    """Columns that are there stay GeoJSON, new ones are geometries."""
    with World(None) as w:
        fill(w)
        w.sync()
        tap.equal(w.types(), ["jsonb", "jsonb", "jsonb"], "types")
        w.install("public")
        w.postgis = "public"
        w.publish("2", "spot:geopoint", "spot2:geopoint", "way:geotrace",
                  "area:geoshape", {"r[]": ["place:geopoint"]})
        w.submit({"spot": geo("Point", [1, 2, 3]),
                  "spot2": geo("Point", [4, 5, 6])})
        w.sync()
        tap.equal(w.types(), ["jsonb", "jsonb", "geometry(PointZ,4326)",
                              "jsonb"], "types")
        tap.equal([list(r.values()) for r in w.session.rows(
            "SELECT spot->'coordinates' AS p, ST_AsEWKT(spot2) AS p2"
            " FROM odk.places WHERE spot2 IS NOT NULL")],
            [[[1, 2, 3], "SRID=4326;POINT(4 5 6)"]], "row")
        # as odk-sync-tables(7) says
        w.session.run(
            "ALTER TABLE odk.places ADD COLUMN spot_geom geometry(PointZ, 4326)"
            " GENERATED ALWAYS AS (ST_Force3D(ST_SetSRID("
            "ST_GeomFromGeoJSON(spot), 4326))) STORED")
        w.submit({"spot": geo("Point", [7, 8])})
        w.sync()
        tap.equal(w.texts("spot_geom"), [["SRID=4326;POINT(1 2 3)"],
                                      ["SRID=4326;POINT(14.5 50.25 300.5)"],
                                      ["SRID=4326;POINT(7 8 0)"]],
                  "generated")


def test_tables_that_are_made_anew_follow_the_database():
    with World(None) as w:
        fill(w)
        w.sync()
        w.install("public")
        w.postgis = "public"
        w.session.run("DROP TABLE odk.places, odk.places__r CASCADE")
        w.sync()
        check_filled(w)
        tap.equal(w.session.value(
            "SELECT pg_type FROM odk_sync_column WHERE column_name = 'spot'"),
            "public.geometry(PointZ,4326)", "registry")
        w.sync()


if __name__ == "__main__":
    try:
        odks.need_all()
        if not odks.pg.server().value(
                "SELECT count(*) FROM pg_available_extensions"
                " WHERE name = 'postgis'"):
            raise tap.Skip("it needs PostGIS (postgresql-15-postgis-3)")
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        sys.exit()
    tap.main()
