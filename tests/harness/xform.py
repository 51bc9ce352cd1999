# tests/harness/xform.py - SPDX-License-Identifier: Apache-2.0
"""Forms as people write them: labels, languages, lists of choices.

A form is a list of questions made by q(), group() and repeat(); publish()
gives it to the stand-in as fields and as an XForm that a form builder could
have made. A label is a text, or a dictionary of texts by language.
"""

from xml.sax.saxutils import escape, quoteattr

CONTROLS = {"select": "select1", "selectMultiple": "select", "rank": "rank",
            "binary": "upload"}


def q(name, label, kind="string", choices=None, output=None, only=""):
    """A question; choices: the name of a list, what ends in .csv, or labels by
    name that only this question has; only: a choice filter, in brackets."""
    return {"name": name, "label": label, "kind": kind, "choices": choices,
            "output": output, "only": only}


def choice(name, label, **properties):
    """Of a list that is a list: there a name may come more than once."""
    return name, label, properties


def group(name, label, kids):
    return {"name": name, "label": label, "kind": "group", "kids": kids}


def repeat(name, label, kids):
    return {"name": name, "label": label, "kind": "repeat", "kids": kids}


def fields(form):
    """As the stand-in wants them."""
    result = []
    for node in form:
        if node["kind"] == "group":
            result.append({node["name"]: fields(node["kids"])})
        elif node["kind"] == "repeat":
            result.append({node["name"] + "[]": fields(node["kids"])})
        else:
            kind = node["kind"]
            result.append(node["name"] + ":"
                          + ("string" if kind == "rank" else kind))
    return result


class Writer:
    def __init__(self, languages, lists):
        self.languages, self.lists = languages, lists
        self.texts = {language: [] for language in languages}
        self.files = set()

    def label(self, node, text):
        if isinstance(text, str):
            return f"<label>{escape(text)}</label>"
        for language in self.languages:
            self.texts[language].append((node, text.get(language, "-")))
        return f"<label ref=\"jr:itext('{node}')\"/>"

    def control(self, node, path):
        tag = CONTROLS.get(node["kind"], "input")
        label = self.label(path + ":label", node["label"])
        choices = ""
        if isinstance(node["choices"], dict):
            choices = "".join(
                f"<item><label>{escape(label)}</label>"
                f"<value>{escape(name)}</value></item>"
                for name, label in node["choices"].items())
        elif node["choices"] is not None:
            name = node["choices"].removesuffix(".csv")
            if name != node["choices"]:
                self.files.add(name)
            ref = "jr:itext(itextId)"
            if name not in self.lists or all(
                    isinstance(c[1], str) for c in self.items(name)):
                ref = "label"
            nodeset = f"instance('{name}')/root/item{node['only']}"
            choices = (f"<itemset nodeset={quoteattr(nodeset)}>"
                       f"<value ref=\"name\"/><label ref=\"{ref}\"/>"
                       "</itemset>")
        return f"<{tag} ref=\"{path}\">{label}{choices}</{tag}>"

    def body(self, form, base):
        out = ""
        for node in form:
            path = f"{base}/{node['name']}"
            if "kids" not in node:
                out += self.control(node, path)
                continue
            inner = self.body(node["kids"], path)
            if node["kind"] == "repeat":
                inner = f"<repeat nodeset=\"{path}\">{inner}</repeat>"
            out += (f"<group ref=\"{path}\">"
                    + self.label(path + ":label", node["label"])
                    + inner + "</group>")
        return out

    def items(self, name):
        choices = self.lists[name]
        return choices if isinstance(choices, list) else [
            choice(*item) for item in choices.items()]

    def instances(self):
        out = ""
        for name in self.lists:
            items = ""
            for i, (value, label, properties) in enumerate(self.items(name)):
                if isinstance(label, str):
                    text = f"<label>{escape(label)}</label>"
                else:
                    self.label(f"{name}-{i}", label)
                    text = f"<itextId>{name}-{i}</itextId>"
                more = "".join(f"<{key}>{escape(text)}</{key}>"
                               for key, text in properties.items())
                items += (f"<item>{text}<name>{escape(value)}</name>{more}"
                          "</item>")
            out += f"<instance id=\"{name}\"><root>{items}</root></instance>"
        for name in sorted(self.files):
            out += f"<instance id=\"{name}\" src=\"jr://file-csv/{name}.csv\"/>"
        return out

    def itext(self):
        out = ""
        for i, language in enumerate(self.languages):
            default = " default=\"true()\"" if i == 0 else ""
            out += f"<translation lang={quoteattr(language)}{default}>"
            for node, text in self.texts[language]:
                out += (f"<text id=\"{node}\"><value>{escape(text)}</value>"
                        "</text>")
            out += "</translation>"
        return f"<itext>{out}</itext>" if out else ""


def instance(form):
    return "".join(f"<{n['name']}>{instance(n.get('kids', []))}</{n['name']}>"
                   for n in form)


def xform(form_id, version, form, title="", languages=(), lists=None):
    writer = Writer(list(languages), lists or {})
    body = writer.body(form, "/data")
    instances = writer.instances()
    return ("<?xml version=\"1.0\"?>\n"
            "<h:html xmlns=\"http://www.w3.org/2002/xforms\""
            " xmlns:h=\"http://www.w3.org/1999/xhtml\""
            " xmlns:jr=\"http://openrosa.org/javarosa\"><h:head>"
            f"<h:title>{escape(title)}</h:title><model>{writer.itext()}"
            f"<instance><data id={quoteattr(form_id)}"
            f" version={quoteattr(version)}>{instance(form)}"
            f"</data></instance>{instances}</model></h:head>"
            f"<h:body>{body}</h:body></h:html>")


def publish(central, form_id, version, form, **kwargs):
    """A version of a form, with kwargs as xform() has them."""
    central.publish(form_id, version, fields(form),
                    name=kwargs.get("title", form_id),
                    xml=xform(form_id, version, form, **kwargs))
