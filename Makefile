# Two commands: `make shop` sets up and serves the shop, `make test` sets up and tests it.
# uv is used when it is there; otherwise python3 with venv and pip is all it takes.

PORT ?= 8000
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
WORKERS ?= auto
export PORT DATA_DIR

.PHONY: shop test trials check clean

shop: $(VENV)/shop.stamp
	@$(RUN) -m store.assets
	@exec $(RUN) main.py serve --port $(PORT)

test: $(VENV)/test.stamp
	@$(RUN) -m store.assets
	$(RUN) -m pytest -n $(WORKERS)

trials: $(VENV)/test.stamp
	@$(RUN) -m store.assets
	TRIALS=1 $(RUN) -m pytest -m trial -n 0

check: $(VENV)/test.stamp
	$(RUN) main.py check

$(VENV)/shop.stamp: pyproject.toml constraints.txt
	@./.ci/install $(VENV) $(PYTHON) '.[blend]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt
	@./.ci/install $(VENV) $(PYTHON) '.[test]'
	@touch $@ $(VENV)/shop.stamp

clean:
	rm -rf $(VENV) var static/vendor node_modules
