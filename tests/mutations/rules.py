"""The guards that are rules: of our linter, of the local cloud's importer, of its creates and its door."""
# ruff: noqa: E501 - the texts that are replaced are as long as they are

from tests.mutations.guard import guard

LINT = "tests/unit/test_lint.py::"
IMPORT = "tests/contract/test_localcloud_importer.py::"
JOBS = "tests/contract/test_localcloud_jobs.py::"

LINTER = tuple(
    guard(f"linter: {rule}", "requests/lint.py", old, new, f"{LINT}{test}", "the whole job fails before a row runs")
    for rule, old, new, test in (
        ("numbers", "_NUMBER_LIKE.fullmatch(inner)", "not inner", "test_a_top_level_text_that_looks_like_a_number_would_come_back_as_one"),
        ("JSON", '            return [LintFinding("json", line', '            return [][:0] and [LintFinding("json", line', "test_vector[not JSON]"),
        ("a request in it", 'or not isinstance(value.get("request"), dict):', ":", "test_vector[no request]"),
        ("an object", "if not isinstance(value, dict) or", "if isinstance(value, list):\n            return []\n        if", "test_vector[a list as line]"),
        ("null", '                yield "null", path, "null where the importer expects a value"\n', "", "test_vector[null in a list]"),
        ("one type", "            yield from self._one_type(node, path, line)\n", "", "test_vector[type as text, then as list]"),
        ("one type in a list too", 'f"{path}[]"', 'f"{path}[{id(inner)}]"', "test_vector[mixed list]"),
        ("empty objects", '                    yield "empty_object", path, "an empty object"\n', "                    continue\n", "test_vector[empty tool]"),
        ("15 levels", "elif depth >= MAX_NESTING:", "elif depth > MAX_NESTING:", "test_vector[16 levels]"),
        ("lists in lists", '                    yield "nested_list", path, "a list in a list"\n', "                    continue\n", "test_vector[list in a list]"),
        ("names", "        if not _NAME.fullmatch(key):\n", "        if not key:\n", "test_vector[dollar in a name]"),
        ("names by case", "        if spelled != path:\n", "        if not spelled:\n", "test_vector[names that differ in case over lines]"),
        ("no rows", "    if not rows:\n", "    if rows < 0:\n", "test_vector[no lines]"),
        ("too many lines", "    if rows > MAX_LINES:\n", "    if rows > 10 * MAX_LINES:\n", "test_the_limits_are_exact"),
        ("too many bytes", "    if size_bytes > MAX_BYTES:\n", "    if size_bytes > 10 * MAX_BYTES:\n", "test_the_limits_are_exact"),
    )
)  # fmt: skip

IMPORTER = tuple(
    guard(
        f"importer: {rule}",
        "localcloud/vertex/importer.py",
        old,
        new,
        f"{IMPORT}{test}",
        "what runs here would fail on Google",
    )
    for rule, old, new, test in (
        ("JSON", "            raise ImportRefusedError(\n                f\"Error while reading data: JSON parsing error", "            return\n            raise ImportRefusedError(\n                f\"Error while reading data: JSON parsing error", "test_vector[not JSON]"),
        ("an object", "        if not isinstance(line, dict):\n", "        if isinstance(line, list):\n            return\n        if not isinstance(line, dict):\n", "test_vector[a list as line]"),
        ("a request in it", '        if "request" not in line:\n', '        if "request" not in line and "key" not in line:\n', "test_vector[no request]"),
        ("too many rows", "        if self.rows > MAX_ROWS:\n", "        if self.rows > 10 * MAX_ROWS:\n", "test_the_limits_are_exact"),
        ("too many bytes", "    if size_bytes > MAX_BYTES:\n", "    if size_bytes < 0:\n", "test_the_limits_are_exact"),
        ("no rows", "    if not table.rows:\n", "    if table.rows < 0:\n", "test_vector[no lines]"),
        ("empty objects", "        if not value:\n", "        if value is None:\n", "test_vector[empty tool]"),
        ("null", "            elif item is None:\n                raise ImportRefusedError(f\"Only optional fields can be set to NULL. Field: {name}; Value: NULL\")\n            else:\n                self._settle(child,", "            elif item is None:\n                continue\n            else:\n                self._settle(child,", "test_vector[null]"),
        ("null in a list", "            elif item is None:\n                raise ImportRefusedError(f\"Only optional fields can be set to NULL. Field: {name}; Value: NULL\")\n            else:\n                self._settle(column,", "            elif item is None:\n                continue\n            else:\n                self._settle(column,", "test_vector[null in a list]"),
        ("15 levels of names", "        if self._count_fields and level > MAX_LEVELS:\n", "        if self._count_fields and level > 10 * MAX_LEVELS:\n", "test_vector[16 levels]"),
        ("15 levels of objects", "        if level + 1 > MAX_LEVELS:\n", "        if level + 1 > 10 * MAX_LEVELS:\n", "test_nesting_is_counted_as_the_switch_says[records-17-FAILED]"),
        ("names", "        if not _NAME.fullmatch(name):\n", "        if name is None:\n", "test_vector[dollar in a name]"),
        ("names by case", "        if other != name and self._refuse_case_clash:\n", "        if other is None:\n", "test_vector[names that differ in case]"),
        ("lists in lists", '                raise ImportRefusedError(f"Nested arrays are not supported. Field: {name}")\n', "                continue\n", "test_vector[list in a list]"),
        ("list or plain", "        if known.startswith(_MANY) != kind.startswith(_MANY):\n            raise ImportRefusedError(", "        if known.startswith(_MANY) != kind.startswith(_MANY):\n            return\n            raise ImportRefusedError(", "test_vector[type as text, then as list]"),
        ("one type", "        raise ImportRefusedError(\n            f\"Could not convert value of field", "        return\n        raise ImportRefusedError(\n            f\"Could not convert value of field", "test_vector[mixed list]"),
    )
)  # fmt: skip

LOCAL_CLOUD = (
    *(
        guard(
            f"create: {rule}",
            f"localcloud/vertex/{file}.py",
            old,
            new,
            f"{JOBS}{test}",
            "what runs here would be refused by Google",
        )
        for rule, file, old, new, test in (
            ("no inline requests", "create", 'if "requests" in config or "inlinedRequests" in config or "fileName" in config:', "if not config:", "test_create_is_strict"),
            ("labels", "create", "        check_labels(body[\"labels\"])\n", "        pass\n", "test_create_is_strict"),
            ("fields that are none", "create", "    if unknown:\n", "    if not body:\n", "test_create_is_strict"),
            ("a model that is there", "models", "    if model is None or refused:\n", "    if model is None:\n", "test_create_is_strict"),
            ("a model for batch", "models", "    if model.batch == \"no\" or", "    if", "test_create_is_strict"),
            ("a model where it is", "models", "        or (model.locations and location not in model.locations)\n", "", "test_models_by_location_and_project"),
            ("a bucket where the job runs", "regions", '        if location != "global" and', "        if not location and", "test_a_bucket_lies_where_the_job_runs[EU-us-central1-FAILED]"),
        )
    ),
    guard(
        "the local cloud checks the Host",
        "localcloud/guard.py",
        "    if name.lower() not in _LOOPBACK_NAMES or not (port.isdigit() or not port):\n",
        "    if not name:\n",
        "tests/contract/test_localcloud_life.py::test_guard",
        "a page could reach it under a name of its own (DNS rebinding)",
    ),
    guard(
        "the local cloud refuses pages",
        "localcloud/guard.py",
        '    if b"origin" in headers:\n',
        '    if b"no-origin" in headers:\n',
        "tests/contract/test_localcloud_life.py::test_guard",
        "any page in a browser could use it",
    ),
    guard(
        "control needs the token",
        "localcloud/control.py",
        "            if not self.token or not secrets.compare_digest(given.encode(), self.token.encode()):\n",
        "            if not self.token:\n",
        "tests/contract/test_localcloud_life.py::test_control_needs_the_token",
        "any program on the machine could stop it",
    ),
)  # fmt: skip
