# tests/contract/sample.py - SPDX-License-Identifier: Apache-2.0
"""What Central answers word for word, and the forms and rows of the suite."""
import hashlib
import re

STAMP = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
SYSTEM = ['submissionDate', 'updatedAt', 'submitterId', 'submitterName',
          'attachmentsPresent', 'attachmentsExpected', 'status',
          'reviewState', 'deviceId', 'edits', 'formVersion', 'deletedAt']
FORBIDDEN = {'message': 'The authentication you provided does not have '
             'rights to perform that action.', 'code': 403.1}
NOT_FOUND = {'message': 'Could not find the resource you were looking for.',
             'code': 404.1}
NO_AUTH = {'message': 'Could not authenticate with the provided '
           'credentials.', 'code': 401.2}

FLAT = ['s_text', 'n_int:int', 'n_dec:decimal', 'yes:select',
        'multi:selectMultiple', 'd:date', 't:time', 'dt:dateTime',
        'gp:geopoint', 'gt:geotrace', 'gs:geoshape', 'bar:barcode',
        'agreed:boolean', 'photo:binary']
NEST = ['hh', 'a-b', {'Location': ['District', {'address': [
    'zip.code', 'gps:geopoint']}]},
    {'person_details[]': ['p_name', 'age:int', {'contact': ['phone']},
                          {'visits[]': ['v_date:date', 'v_cost:decimal']}]},
    {'grp_rep': ['note', {'asset[]': ['kind', 'qty:int']}]}, 'Name', 'name']
DRIFT1 = ['keep', 'num:int', 'gone', {'g': ['x:int']}, 'gp:geopoint',
          'gt:geotrace']
DRIFT2 = ['keep', 'num', {'g': ['x:int', 'more:decimal']}, 'added:date', 'gp',
          'gt']

ROW = {'s_text': 'žluť "q" \\ <&>\n2nd\t', 'n_int': -42, 'n_dec': 812,
       'yes': 'a', 'multi': 'a b', 'd': '2026-02-03', 't': '10:11:12.000Z',
       'dt': '2026-03-11T18:05:09.829+01:00',
       'gp': {'type': 'Point', 'coordinates': [-28.34, 54.25, 756.9],
              'properties': {'accuracy': 6.18}},
       'gt': {'type': 'LineString', 'coordinates': [[1.5, 2.5, 3],
                                                    [4.5, 5.5, 6]],
              'properties': {'accuracies': [7.1, 8]}},
       'gs': {'type': 'Polygon', 'coordinates': [[[1.5, 2.5, 3], [4.5, 5, 6],
                                                  [7, 8, 9], [1.5, 2.5, 3]]],
              'properties': {'accuracies': [1, 2, 3, 1]}},
       'bar': '0012', 'agreed': 'true', 'photo': 'a b.jpg'}


def house(n, names=('A', 'B', 'C')):
    return {'hh': 'h%d' % n, 'a_b': 'hyphen',
            'Location': {'District': 'd', 'address': {'zip_code': '1'}},
            'person_details': [
                {'p_name': p, 'age': i, 'contact': {'phone': '5'},
                 'visits': [{'v_date': '2026-01-0%d' % (k + 1),
                             'v_cost': 1.5} for k in range(i)]}
                for i, p in enumerate(names)],
            'grp_rep': {'note': 'n', 'asset': [{'kind': 'k', 'qty': 3}]},
            'Name': 'Upper', 'name': 'lower'}


def sha(iid, *steps):
    text = 'Submissions#' + iid + ''.join('%%' + s for s in steps)
    return hashlib.sha1(text.encode('utf-8')).hexdigest()
