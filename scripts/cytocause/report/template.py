"""The page's template (Jinja). A module and not a file of its own, so that an edit of the page is seen as an edit of the code."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:">
<title>{{ title }}</title>
<link rel="icon" href="data:,">
<style>
:root{--ink:#1d2733;--soft:#5b6877;--line:#dde3ea;--paper:#fff;--ground:#f4f6f9;--accent:#0f6f8c;--more:#c0392b;--less:#2563b0;--neither:#7b8794;--definition:#b7862b;--warn:#8a5a00;--warnbg:#fff6e0}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--ground);color:var(--ink);font:15.5px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
a{color:var(--accent)}
nav{position:sticky;top:0;z-index:5;background:rgba(255,255,255,.96);border-bottom:1px solid var(--line);padding:9px 28px;display:flex;gap:18px;flex-wrap:wrap;font-size:14px}
nav a{text-decoration:none;color:var(--soft)}nav a:hover{color:var(--accent)}nav b{color:var(--ink);margin-right:6px}
main{max-width:1120px;margin:0 auto;padding:20px 28px 60px}
h1{font-size:30px;line-height:1.2;margin:26px 0 4px;letter-spacing:-.01em}
h2{font-size:22px;margin:44px 0 10px;scroll-margin-top:56px}
h3{font-size:16.5px;margin:22px 0 6px}
p{margin:6px 0 10px;max-width:78ch}
.sheet{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:20px 24px;margin:12px 0}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:18px 0}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:12px 20px;min-width:128px}
.tile b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13.5px}
.lead p{font-size:16.5px}
.caution{background:var(--warnbg);border:1px solid #ecd9a6;border-radius:12px;padding:14px 22px;margin:14px 0}
.caution h3{margin:0 0 4px;color:var(--warn)}.caution ul{margin:4px 0 4px;padding-left:20px}.caution li{max-width:80ch;margin:3px 0}
.soft{color:var(--soft)}.small{font-size:13.5px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13.8px;margin:8px 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
.num td+td,.num th+th{text-align:right;padding-left:14px;padding-right:0}
.tight{max-height:430px;overflow:auto;border:1px solid var(--line);border-radius:8px;padding:0 12px}
.tight th{position:sticky;top:0;background:var(--paper)}
.tight td{white-space:nowrap}
.chips{display:flex;gap:8px;align-items:center;flex-wrap:wrap}
.tag{display:inline-block;border-radius:99px;padding:1px 11px;font-size:12.5px;border:1px solid var(--line);background:var(--ground);color:var(--ink);white-space:nowrap}
.tag.genuine{background:#e3f4ea;border-color:#a9dcbd}.tag.putative{background:#eef4fb;border-color:#c3d9f1}.tag.latent{background:#f6edfb;border-color:#dcc3ec}.tag.undirected{background:#f0f2f4}.tag.warn{background:var(--warnbg);border-color:#ecd9a6;color:var(--warn)}
.card{scroll-margin-top:60px}
.card:target{border-color:var(--accent);box-shadow:0 0 0 2px rgba(15,111,140,.18)}
.card h3{margin:0 0 2px;font-size:18px}.card .more{color:var(--more)}.card .less{color:var(--less)}.card .neither{color:var(--neither)}
.charts{display:flex;flex-wrap:wrap;gap:10px 30px;margin:10px 0}
.charts table{font-size:13px}.charts .num td+td,.charts .num th+th{padding-left:10px}figure{margin:0;max-width:100%}figcaption{font-size:13px;color:var(--soft);max-width:400px}.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:12px;align-items:start}.halves .card{margin:0}
svg{max-width:100%;height:auto;display:block}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;fill:var(--ink)}
svg .tick{font-size:11.5px;fill:var(--soft)}svg .axis{font-size:12px;fill:var(--soft)}svg .note{font-size:11.5px;fill:var(--soft)}svg .group{font-weight:600;font-size:13px}
.grid{stroke:#e8edf2}.faint{stroke:#f0f3f6}.zero{stroke:#9aa6b2}.mean{stroke:var(--ink);stroke-width:2.5}
.onset{stroke:#9aa6b2;stroke-dasharray:2 3}.lag{stroke:var(--accent);stroke-width:1}.baseline{stroke:#7b8794;stroke-dasharray:5 4}
.band{fill:#0f6f8c;opacity:.16}.curve{stroke:#0f6f8c;stroke-width:2.2}
.spark{stroke:#3b6ea5;stroke-width:1.2}.flagged{fill:var(--more)}
.event{fill:none;stroke-width:1.5}.event.death{stroke:#c0392b}.event.division{stroke:#0f8a6b}.event.censored{stroke:#b9c2cc}
.dot{stroke:#fff;stroke-width:1}.pooled{fill:var(--ink);stroke:#fff;stroke-width:1}.pooled.beyond{fill:#fff;stroke:var(--ink);stroke-width:2}.reach{stroke:var(--ink);stroke-width:2.2;opacity:.55}
{% set palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4f9e", "#7a7a7a"] %}
{% for i in range(64) %}.c{{ i }}{fill:{{ palette[i % 8] }}}.s{{ i }}{stroke:{{ palette[i % 8] }}}{% endfor %}

.trace.chip{stroke-width:.9;opacity:.38}.trace.group{stroke-width:2.4}.trace.cell{stroke:#c8d0d8;stroke-width:.7;opacity:.7}
i.key{display:inline-block;width:11px;height:11px;border-radius:99px;vertical-align:-1px;margin-right:4px}
{% for i in range(64) %}i.k{{ i }}{background:{{ palette[i % 8] }}}{% endfor %}

.node{fill:#fff;stroke:#8593a3;stroke-width:1.4}.node.condition{fill:#fdf3d8;stroke:#d8b24a}.node.exogenous{fill:#fdf3d8;stroke:#d8b24a;stroke-dasharray:4 3}.node.state{fill:#fbe6e3;stroke:#d08a80}.node.feature{fill:#eaf2fb;stroke:#93b4d8}
svg .node-name{font-weight:600}svg .node-note{font-size:10.5px;fill:var(--soft)}
.arrow{fill:none;stroke-linecap:butt}.arrow.latent{stroke-dasharray:7 5}
.arrow.more{stroke:var(--more)}.arrow.less{stroke:var(--less)}.arrow.neither{stroke:var(--neither)}.arrow.definition{stroke:var(--definition)}.arrow{opacity:.82}
.head.more{fill:var(--more);stroke:var(--more)}.head.less{fill:var(--less);stroke:var(--less)}.head.neither{fill:var(--neither);stroke:var(--neither)}.head.definition{fill:var(--definition);stroke:var(--definition)}.head{stroke-width:1.6;stroke-linejoin:round}.head.hollow{fill:#fff}
.edge:hover .arrow{opacity:1;filter:brightness(.8)}
.plate{fill:#fff;opacity:.92}svg .lag-label{font-size:11.5px}svg .lag-label.more{fill:#96271b}svg .lag-label.less{fill:#17488a}svg .lag-label.definition{fill:#7a5714}
.legend{display:flex;flex-wrap:wrap;gap:4px 22px;font-size:13.3px;color:var(--soft);align-items:center}.legend svg{display:inline-block;vertical-align:middle}
.films{display:grid;grid-template-columns:repeat(auto-fill,minmax(235px,1fr));gap:14px}.films video,.films img{width:100%;border-radius:8px;background:#000;display:block}
pre{background:var(--ground);border:1px solid var(--line);border-radius:8px;padding:12px;overflow:auto;max-height:460px;font-size:12.6px}
details>summary{cursor:pointer;color:var(--accent);margin:6px 0}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(215px,1fr));gap:12px}
.cell{border:1px solid var(--line);border-radius:10px;padding:10px 16px;background:var(--ground)}.cell.empty{border:1.5px dashed #d8b24a;background:var(--warnbg)}
.cell b{font-size:20px}
footer{margin-top:48px;border-top:1px solid var(--line);padding-top:12px;color:var(--soft);font-size:13px}
@media print{nav{display:none}body{background:#fff}}
</style>
</head>
<body>
{% macro table(t, css="") %}<table class="{{ css }}"><thead><tr>{% for h in t.head %}<th>{{ h }}</th>{% endfor %}</tr></thead><tbody>{% for r in t.rows %}<tr>{% for v in r %}<td>{{ v }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>{% endmacro %}
{% macro keyed(text) %}{% for part in text.split("[[c") %}{% if loop.first %}{{ part }}{% else %}{% set bits = part.split("]]", 1) %}<i class="key k{{ bits[0] }}"></i>{{ bits[1] }}{% endif %}{% endfor %}{% endmacro %}
<nav><b>{{ title }}</b><a href="#summary">Summary</a><a href="#graph">Graph</a>{% if cards %}<a href="#edges">Evidence</a>{% endif %}<a href="#design">Design</a><a href="#films">Films</a><a href="#events">Events</a><a href="#traces">Traces</a><a href="#quality">Quality</a><a href="#failed">Failed samples</a>{% if score %}<a href="#score">Score</a>{% endif %}<a href="#ran">What ran</a></nav>
<main>
<h1 id="summary">{{ title }}</h1>
<div class="tiles">{% for t in tiles %}<div class="tile"><b>{{ t.number }}</b><span>{{ t.what }}</span></div>{% endfor %}</div>
<div class="sheet lead">{% for s in summary %}<p>{{ s }}</p>{% endfor %}</div>
{% if open_questions %}
<div class="caution" id="undecided"><h3>What these data cannot decide</h3><ul>{% for s in open_questions %}<li>{{ s }}</li>{% endfor %}</ul></div>
{% endif %}

<h2 id="graph">The causal graph</h2>
<div class="sheet">
<div class="scroll">{{ graph_svg | safe }}</div>
{% if not any_edges %}<p>There is no edge between two different variables.</p>{% endif %}
<div class="legend">
<span><svg width="46" height="14"><path d="M1 7H32" class="arrow neither" stroke-width="3"/><polygon points="44,7 31,2 31,12" class="head neither"/></svg> genuine cause</span>
<span><svg width="46" height="14"><path d="M1 7H32" class="arrow neither" stroke-width="3"/><polygon points="44,7 32,2 32,12" class="head neither hollow"/></svg> putative cause (a hidden cause could do the same)</span>
<span><svg width="52" height="14"><path d="M14 7H38" class="arrow neither latent" stroke-width="3"/><polygon points="50,7 38,2 38,12" class="head neither hollow"/><polygon points="2,7 14,2 14,12" class="head neither hollow"/></svg> hidden common cause</span>
<span><svg width="40" height="14"><path d="M1 7H39" class="arrow neither" stroke-width="3"/></svg> direction unknown</span>
<span><svg width="26" height="14"><path d="M1 7H25" class="arrow more" stroke-width="4"/></svg> more goes with more</span>
<span><svg width="26" height="14"><path d="M1 7H25" class="arrow less" stroke-width="4"/></svg> more goes with less</span>
<span><svg width="26" height="14"><path d="M1 7H25" class="arrow definition" stroke-width="4"/></svg> of one definition (one mask, one position, or how an event was called)</span>
<span>width: strength &nbsp; label: time from cause to effect &nbsp; ↻ depends on its own past</span>
</div>
<details><summary>How to read this</summary>
<p>An edge says that two variables depend on each other after every set of other variables that could explain it away has been tried. Its head says where the data (or time) put the effect. Time alone proves no cause: an edge between two times is <i>putative</i> until something rules out a hidden common cause.</p>
<p>It rests on assumptions. One graph holds for all cells and at all times; what matters was measured, or is covered by the marks for hidden causes; cells in one chip count as separate witnesses in the graph, although they share their chip. That is why every edge that starts at a condition is compared once more over chips below, and why the verdict there counts.</p>
<table><tbody>{% for m in marks %}<tr><td><span class="tag {{ m.kind }}">{{ m.label }}</span></td><td>{{ m.meaning }}</td></tr>{% endfor %}</tbody></table></details>
</div>

{% if cards %}
<h2 id="edges">Evidence, edge by edge</h2>
<p class="soft">The strongest first. A dot is a {{ design.word }}, whatever its number of cells.</p>
{% for g in card_groups %}
<h3>{{ g.title }}</h3>
<div class="{{ "halves" if g.half else "" }}">
{% for c in g.cards %}
<article class="sheet card" id="{{ c.id }}">
<h3>{{ c.source }} <span class="{{ c.sign }}">{{ {"genuine": "→", "putative": "⇢", "latent": "↔", "undirected": "—"}[c.kind] }}</span> {{ c.target }}</h3>
<div class="chips"><span class="tag {{ "undirected" if c.undecided else c.kind }}">{{ "in the graph: " if c.undecided }}{{ c.kind_label }}</span>{% if c.sign != "neither" %}<span class="tag {{ c.sign }}">{{ "more goes with more" if c.sign == "more" else "more goes with less" }}</span>{% endif %}{% if c.lag %}<span class="tag">{{ c.lag }}</span>{% endif %}{% if c.undecided %}<span class="tag warn">so few {{ design.word }}s cannot decide it</span>{% endif %}<span class="small soft">{{ c.source_column }} – {{ c.target_column }}</span></div>
<p>{{ c.claim }}</p>
{% if c.verdict %}<p><b>{{ c.verdict }}</b></p>{% endif %}
<div class="charts">{% for f in c.charts %}<figure>{{ f.svg | safe }}<figcaption>{{ keyed(f.caption) }}</figcaption></figure>{% endfor %}{% if c.table %}<div class="scroll">{{ table(c.table, "num") }}</div>{% endif %}</div>
{% for f in c.facts %}<p class="small soft">{{ f }}</p>{% endfor %}
</article>
{% endfor %}
</div>
{% endfor %}
{% if cards_left_out %}<p>{{ cards_left_out }} weaker edges are in the table below only (report.max_cards).</p>{% endif %}
{% endif %}

<h3 id="edge-table">All rows of edges.tsv</h3>
<div class="sheet">{% if edge_table.rows %}<details><summary>{{ edge_table.rows | length }} rows, {{ edge_table.head | length }} columns</summary><div class="tight">{{ table(edge_table) }}</div></details>{% else %}<p>The table of edges is empty.</p>{% endif %}</div>

<h2 id="design">Design of the experiment, and its holes</h2>
<div class="sheet">
{% if design.cells %}<div class="grid2">{% for c in design.cells %}<div class="cell{{ ' empty' if c.empty }}"><div class="small soft">{{ c.title }}</div><b>{{ c.chips }}</b> {{ design.word }}{{ "" if c.chips == 1 else "s" }}<div class="small">{{ c.trajectories }} cells · {{ c.events }}</div></div>{% endfor %}</div>{% endif %}
{% for c in design.conditions %}
<h3>{{ c.name }}</h3>
<div class="scroll">{{ table(c, "num") }}</div>
<p class="small {{ '' if c.undecidable else 'soft' }}">The {{ c.unit }}s could have been assigned in {{ c.arrangements }}: smallest attainable p {{ c.smallest_p }}{% if c.undecidable %}. <b>This design cannot decide an effect of {{ c.name }}.</b>{% else %}.{% endif %} {{ c.within | join(" ") }}</p>
{% endfor %}
{% if not design.conditions %}<p>The experiment has no conditions.</p>{% endif %}
{% for d in design.confounded %}<p><b>Confounded.</b> {{ d }}</p>{% endfor %}
{% for d in design.warnings %}<p class="small">{{ d }}</p>{% endfor %}
{% if design.left_out %}<p class="small soft">Left out of the table: {% for d in design.left_out %}{{ d }}{{ "; " if not loop.last else "." }}{% endfor %}</p>{% endif %}
{% if tests %}
<details><summary>Every condition against every variable, over {{ design.word }}s</summary>
<div class="scroll"><table><thead><tr><th>condition</th><th>outcome</th><th>levels</th><th>mean over {{ design.word }}s</th><th>p</th><th>smallest attainable</th></tr></thead><tbody>
{% for t in tests %}<tr><td>{{ t.condition }}</td><td>{{ t.outcome }}</td><td>{{ t.levels }}</td><td>{{ t.means }}</td><td>{% if t.small %}<b>{{ t.p }}</b>{% else %}{{ t.p }}{% endif %}</td><td>{{ t.smallest }}</td></tr>{% endfor %}
</tbody></table></div><p class="small soft">Two-sided permutation within equal values of the other conditions; not corrected for the number of lines.</p></details>
{% endif %}
</div>

<h2 id="films">Masks and tracks</h2>
<p class="soft">An outline's colour is its track: a change of colour is a change of identity. Check a few cells by eye before you trust the rest.</p>
{% for g in films %}<div class="sheet"><h3 style="margin-top:0">{{ g.title }}</h3><div class="films">
{% for f in g.entries %}<figure>{% if f.film %}<video controls loop muted playsinline preload="metadata" poster="{{ f.still }}" src="{{ f.film }}"></video>{% else %}<img src="{{ f.still }}" alt="masks and tracks of {{ f.population }} in {{ f.sample }}" loading="lazy">{% endif %}<figcaption>{{ f.sample }}, {{ f.population }}{% if not f.film %} (still; the film is samples/{{ f.sample }}/{{ f.population }}/overlay.mp4){% endif %}</figcaption></figure>{% endfor %}
</div></div>{% endfor %}
{% if not films %}<div class="sheet"><p>No sample has pixels or masks to show.</p></div>{% endif %}

<h2 id="events">Divisions and deaths</h2>
{% for r in raster %}<div class="sheet"><h3 style="margin-top:0">{{ r.population }}</h3><p class="small soft">{{ r.totals }}. <span style="color:#c0392b">▏</span>death <span style="color:#0f8a6b">▏</span>division <span style="color:#9aa6b2">▏</span>observation ends (the cell may live on)</p><div class="scroll">{{ r.svg | safe }}</div></div>{% endfor %}
{% if not raster %}<div class="sheet"><p>There are no events to show.</p></div>{% endif %}

<h2 id="traces">Features over time</h2>
<div class="sheet">
{% if traces.charts %}<div class="legend">{% for l in traces.legend %}<span><i class="key k{{ loop.index0 }}"></i>{{ l }}</span>{% endfor %}<span>bold: mean of {{ design.word }}s; thin: one {{ design.word }}; grey: single cells</span></div>
<div class="charts">{% for t in traces.charts %}<figure>{{ t.svg | safe }}</figure>{% endfor %}</div>{% else %}<p>There is nothing to draw.</p>{% endif %}
</div>

<h2 id="quality">Quality, sample by sample</h2>
<div class="sheet"><div class="scroll"><table><thead><tr><th>sample</th><th>frames</th><th>interval</th><th>pixel</th><th>focus</th><th>drift</th><th>flagged frames</th>{% for p in quality.populations %}<th>{{ p }}: masks per frame</th><th>tracks</th>{% endfor %}</tr></thead><tbody>
{% for l in quality.lines %}<tr><td><b>{{ l.sample }}</b></td><td>{{ l.frames }}</td><td>{{ l.interval }}</td><td>{{ l.pixel }}</td><td>{{ l.focus | safe }}</td><td>{{ l.drift | safe }}</td><td>{{ l.flags }}</td>{% for p in l.populations %}<td>{{ p.spark | safe }}<span class="small soft">{{ p.range }}{% if p.flags != "none" %}; {{ p.flags }}{% endif %}</span></td><td>{{ p.tracks }}</td>{% endfor %}</tr>
{% if l.warnings %}<tr><td></td><td colspan="{{ 6 + 2 * (l.populations | length) }}" class="small">{% for w in l.warnings[:6] %}{{ w }}{{ " · " if not loop.last }}{% endfor %}{% if l.warnings | length > 6 %} … and {{ l.warnings | length - 6 }} more{% endif %}</td></tr>{% endif %}{% endfor %}
</tbody></table></div>
<p class="small soft">A steady number of masks per frame is the best single sign that segmentation holds. Red dots are flagged frames; nothing is left out because of a flag.{% if quality.left_out %} {{ quality.left_out }} more samples are not listed (report.max_samples).{% endif %}</p></div>

<h2 id="failed">Failed samples</h2>
<div class="sheet">{% if failed.rows %}<div class="scroll">{{ table(failed) }}</div>{% else %}<p>None: every sample went through every stage.</p>{% endif %}</div>

{% if score %}
<h2 id="score">Score against the truth</h2>
<div class="sheet"><p class="small soft">{{ score.samples }} simulated samples, whose truth is known at every stage. 1 is perfect. The bar is the 95 % interval {% if score.chips %}over {{ score.chips }} chips drawn with replacement{% else %}over chips{% endif %}; there is one graph for all chips, so it has none.</p>
{% if score.populations | length > 1 %}<div class="legend"><span><i class="key" style="background:var(--ink)"></i>all</span>{% for p in score.populations %}<span><i class="key k{{ loop.index0 }}"></i>{{ p }}</span>{% endfor %}</div>{% endif %}
<div class="scroll">{{ score.figure | safe }}</div>
<details><summary>All figures</summary>
<div class="scroll"><table class="num"><thead><tr><th>figure</th><th>all</th><th>95 % over chips</th><th>precision</th><th>recall</th>{% for p in score.populations %}<th>{{ p }}</th>{% endfor %}<th></th></tr></thead><tbody>
{% for r in score.rows %}<tr><td>{{ r.label }} <span class="small soft">{{ r.key }}</span></td><td><b>{{ r.value }}</b></td><td>{{ r.interval }}</td><td>{{ r.precision }}</td><td>{{ r.recall }}</td>{% for v in r.populations %}<td>{{ v }}</td>{% endfor %}<td class="small soft" style="text-align:left;min-width:190px">{{ r.note }}</td></tr>{% endfor %}
</tbody></table></div></details>
{% if score.false is not none %}<p class="small">False edges of conditions in this experiment: {{ score.false }}.</p>{% endif %}</div>
{% endif %}

<h2 id="ran">What ran</h2>
<div class="sheet">
{% if ran.warnings %}<h3 style="margin-top:0">Warnings of the inference</h3><ul>{% for w in ran.warnings[:40] %}<li>{{ w }}</li>{% endfor %}</ul>{% endif %}
{% if ran.engines %}<h3>Segmentation</h3><table><tbody>{% for p, kinds in ran.engines %}<tr><th>{{ p }}</th><td>{{ kinds | join("; ") }}</td></tr>{% endfor %}</tbody></table>{% endif %}
<details><summary>Variables of the table</summary><div class="tight">{{ table(ran.variables) }}</div></details>
{% if ran.parameters %}<details><summary>Parameters of the inference</summary><table><tbody>{% for k, v in ran.parameters %}<tr><th>{{ k }}</th><td>{{ v }}</td></tr>{% endfor %}</tbody></table></details>{% endif %}
<details><summary>Versions</summary><table><tbody>{% for k, v in ran.versions %}<tr><th>{{ k }}</th><td>{{ v }}</td></tr>{% endfor %}</tbody></table></details>
<details><summary>Whole configuration, defaults filled in</summary><pre>{{ ran.config }}</pre></details>
</div>
<footer>Written {{ written }} by cytocause {{ version }}. This file holds everything it shows and asks nothing of the network.</footer>
</main>
</body>
</html>
"""
