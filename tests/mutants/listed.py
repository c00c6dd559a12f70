"""The lines that are broken on purpose, with the tests that should notice.

Most are statistics: a wrong number looks like a right one. A line that moves takes its entry along.
"""

from __future__ import annotations

from tests.mutants.breaking import Mutant

MIXTURE = (
    Mutant(
        "a draw that meets its budget exactly stops there",
        "curate/mixture/drawing.py",
        'under = int(np.searchsorted(cumulative, rest, side="right"))',
        'under = int(np.searchsorted(cumulative, rest, side="left"))',
        (
            "tests/test_chance.py::test_a_budget_that_is_met_exactly_is_met_whatever_other_groups_are_over",
        ),
    ),
    Mutant(
        "a boundary is behind the row that meets its amount",
        "curate/mixture/selection.py",
        """    cumulative = search.before + np.cumsum(rows.weight[first:last])
    place = int(np.searchsorted(cumulative, search.target.amount, side="right"))""",
        """    cumulative = search.before + np.cumsum(rows.weight[first:last])
    place = int(np.searchsorted(cumulative, search.target.amount, side="left"))""",
        ("tests/test_drawing.py::test_a_boundary_is_behind_the_row_that_meets_its_amount",),
    ),
    Mutant(
        "a bin is behind the rows that meet its amount",
        "curate/mixture/selection.py",
        """        place = int(np.searchsorted(cumulative, search.target.amount, side="right"))
        if place == BINS:""",
        """        place = int(np.searchsorted(cumulative, search.target.amount, side="left"))
        if place == BINS:""",
        ("tests/test_drawing.py::test_a_boundary_is_behind_the_row_that_meets_its_amount",),
    ),
    Mutant(
        "the last document settles what other groups are over",
        "curate/mixture/drawing.py",
        "is_taken = abs(carry + over) < abs(carry - short)",
        "is_taken = over < short",
        ("tests/test_drawing.py::test_a_cut_is_what_a_sort_draws",),
    ),
    Mutant(
        "what a group is over is carried to the next",
        "curate/mix/stage.py",
        "carry += own.tokens - target",
        "carry += 0.0",
        ("tests/test_drawing.py::test_fifty_recipes_draw_as_a_sort_does",),
    ),
    Mutant(
        "the exponent of the temperature",
        "curate/mixture/shares.py",
        "return _shares(supply.astype(float) ** alpha)",
        "return _shares(supply.astype(float) ** (1 / alpha if alpha else 0.0))",
        ("tests/test_mix.py::test_temperature_is_the_exponent",),
    ),
    Mutant(
        "beta weighs quality",
        "curate/mixture/shares.py",
        "powers = beta * quality",
        "powers = quality",
        ("tests/test_mix.py::test_uniform_proportional_and_quality",),
    ),
    Mutant(
        "a wanted share is divided by supply",
        "curate/mixture/shares.py",
        "wanted.loc[part.index] = share * part / part.sum()",
        "wanted.loc[part.index] = share / len(part)",
        ("tests/test_mix.py::test_explicit_shares_keep_the_other_keys_in_proportion",),
    ),
    Mutant(
        "the temperature of softmax weights",
        "curate/mixture/weights.py",
        "z = (quality - qualities.mean[group]) / spread[group] / temperature",
        "z = (quality - qualities.mean[group]) / spread[group]",
        ("tests/test_mix.py::test_softmax_weights_by_hand",),
    ),
    Mutant(
        "qualities are scaled by the spread of their group",
        "curate/mixture/weights.py",
        "z = (quality - qualities.mean[group]) / spread[group] / temperature",
        "z = (quality - qualities.mean[group]) / temperature",
        ("tests/test_mix.py::test_softmax_weights_by_hand",),
    ),
    Mutant(
        "the spread of a group in parts",
        "curate/mixture/groups.py",
        "self.squares + other.squares + distance**2 * self.known * share",
        "self.squares + other.squares",
        ("tests/test_drawing.py::test_facts_add_up_in_parts",),
    ),
    Mutant(
        "fifths of quality are of equal size",
        "curate/mixture/groups.py",
        "1 - (-fifth * self.known // FIFTHS)",
        "2 - (-fifth * self.known // FIFTHS)",
        ("tests/test_drawing.py::test_facts_add_up_in_parts",),
    ),
    Mutant(
        "what is expected of a group counts its own rows",
        "curate/mix/writing.py",
        "(other_of_row == numbers[others[number]]) & (taken > 0)",
        "taken > 0",
        ("tests/test_mix.py::test_expected_shares_add_up_over_classes",),
    ),
    Mutant(
        "a fifth begins at its edge",
        "curate/mix/passes.py",
        "return np.asarray(1 + begun.sum(axis=0))",
        "return np.asarray(5 - begun.sum(axis=0))",
        ("tests/test_drawing.py::test_fifths_are_of_equal_size_and_rise_with_quality",),
    ),
    Mutant(
        "limits of groups that nobody wants take their part",
        "curate/mixture/projection.py",
        "left = 1 - low[second.mask].sum()",
        "left = 1.0",
        ("tests/test_mix.py::test_what_is_not_wanted_stays_out_unless_it_must",),
    ),
)

CHANCE = (
    Mutant(
        "noise depends on the seed",
        "curate/chance.py",
        'salt, key = seed.to_bytes(16, "little", signed=True), purpose.encode()',
        "salt, key = bytes(16), purpose.encode()",
        ("tests/test_chance.py::test_seeds_and_purposes_are_independent",),
    ),
    Mutant(
        "noise depends on its purpose",
        "curate/chance.py",
        'salt, key = seed.to_bytes(16, "little", signed=True), purpose.encode()',
        'salt, key = seed.to_bytes(16, "little", signed=True), b""',
        ("tests/test_chance.py::test_noise_is_the_same_in_every_run_and_on_every_machine",),
    ),
    Mutant(
        "uniform noise stays below 1",
        "curate/chance.py",
        "np.minimum((numbers + 0.5) / _SPAN, _BELOW_ONE)",
        "(numbers + 0.5) / _SPAN",
        ("tests/test_chance.py::test_noise_keeps_off_its_ends",),
    ),
    Mutant(
        "the sign of Gumbel noise",
        "curate/chance.py",
        "-np.log(-np.log(uniform(ids, seed, purpose)))",
        "np.log(-np.log(uniform(ids, seed, purpose)))",
        ("tests/test_chance.py::test_uniform_and_gumbel_have_their_distributions",),
    ),
)

SCORE = (
    Mutant(
        "the spread of vectors in parts",
        "curate/score/scaling.py",
        "self.squares + other.squares + between",
        "self.squares + other.squares",
        ("tests/test_score.py::test_the_scale_is_that_of_all_vectors_whatever_the_shards",),
    ),
    Mutant(
        "soft labels weigh by their share",
        "curate/score/heads.py",
        "model.fit(vectors[rows], classes, sample_weight=truth[rows, classes])",
        "model.fit(vectors[rows], classes)",
        ("tests/test_score.py::test_soft_labels_pull_by_their_share",),
    ),
    Mutant(
        "a head of a fold never saw its labels",
        "curate/score/learning.py",
        "head = learn(lesson.vectors[~inside], lesson.truth[~inside], inverse_strength)",
        "head = learn(lesson.vectors, lesson.truth, inverse_strength)",
        (
            "tests/test_score.py::test_a_labelled_row_is_predicted_by_heads_that_never_saw_its_label",
        ),
    ),
    Mutant(
        "a resampled head says nothing of what it saw",
        "curate/score/learning.py",
        "sample[seen] = np.nan",
        "sample[seen[:0]] = np.nan",
        ("tests/test_score.py::test_scores_are_those_of_all_vectors_in_memory",),
    ),
    Mutant(
        "the temperature of a fold is fitted on the other folds",
        "curate/score/learning.py",
        "temperature = fit_temperature(logits[~inside], lesson.truth[~inside])",
        "temperature = fit_temperature(logits, lesson.truth)",
        ("tests/test_score.py::test_no_probability_depends_on_the_labels_of_its_own_fold",),
    ),
    Mutant(
        "the ends of a quality's spread",
        "curate/score/quality.py",
        "QUANTILES = (0.05, 0.95)",
        "QUANTILES = (0.45, 0.55)",
        ("tests/test_score.py::test_a_spread_is_of_the_heads_that_never_saw_the_label",),
    ),
    Mutant(
        "the regularisation of a rating",
        "curate/score/heads.py",
        "Ridge(alpha=1 / inverse_strength)",
        "Ridge(alpha=inverse_strength)",
        ("tests/test_score.py::test_the_head_of_a_rating_is_the_ridge_of_that_strength",),
    ),
    Mutant(
        "resampled heads have the temperature",
        "curate/score/learning.py",
        "sample = quality(softmax(predict(own, lesson.vectors) / temperature))",
        "sample = quality(softmax(predict(own, lesson.vectors)))",
        ("tests/test_score.py::test_resampled_heads_are_as_calm_as_the_head",),
    ),
)

AGREE = (
    Mutant(
        "the prior counts of right answers",
        "curate/agree/truth/dawid_skene.py",
        "np.fill_diagonal(prior, diagonal)",
        "np.fill_diagonal(prior, 0.0)",
        ("tests/test_truth.py::test_the_models_are_those_of_the_papers",),
    ),
    Mutant(
        "prior counts that keep few answers from certainty",
        "curate/agree/truth/dawid_skene.py",
        "OFF_DIAGONAL, DIAGONAL = 0.5, 2.5",
        "OFF_DIAGONAL, DIAGONAL = 0.01, 0.11",
        ("tests/test_truth.py::test_the_models_are_those_of_the_papers",),
    ),
    Mutant(
        "the strength with which people are alike",
        "curate/agree/truth/hierarchical.py",
        "rows = counts + self.strength * pooled",
        "rows = counts + pooled",
        ("tests/test_truth.py::test_the_models_are_those_of_the_papers",),
    ),
    Mutant(
        "the truth is the mean of four methods",
        "curate/agree/truth/settling.py",
        "np.mean([method(coded) for method in AVERAGED], axis=0)",
        "np.mean([method(coded) for method in AVERAGED[:1]], axis=0)",
        ("tests/test_truth.py::test_the_mean_of_four_is_the_mean_of_these_four",),
    ),
    Mutant(
        "a tie is undecided",
        "curate/agree/truth/settling.py",
        "is_undecided = len(best) > 1 or bool(shares[place, best[0]] < SAME)",
        "is_undecided = bool(shares[place, best[0]] < SAME)",
        ("tests/test_truth.py::test_a_tie_is_undecided",),
    ),
    Mutant(
        "a value that nobody gave is no label",
        "curate/agree/truth/settling.py",
        "is_undecided = len(best) > 1 or bool(shares[place, best[0]] < SAME)",
        "is_undecided = len(best) > 1",
        ("tests/test_truth.py::test_a_value_that_nobody_gave_is_no_label",),
    ),
    Mutant(
        "of t values that tie, each is a t-th of a hit",
        "curate/agree/truth/coded.py",
        "credit = leading / leading.sum(axis=1, keepdims=True)",
        "credit = np.eye(len(self.values))[leading.argmax(axis=1)]",
        ("tests/test_truth.py",),
    ),
    Mutant(
        "what a window lacks is not absent from the text",
        "curate/agree/labels.py",
        "if shown[label.item].window and label.value == ABSENT:",
        "if False:",
        ("tests/test_agree.py::test_what_a_window_lacks_may_stand_elsewhere_in_the_text",),
    ),
    Mutant(
        "a whole text counts before a window with more answers",
        "curate/agree/labels.py",
        "return shown[label.item].window is None, label.votes",
        "return False, label.votes",
        ("tests/test_agree.py::test_the_whole_text_counts_before_a_window_that_more_people_saw",),
    ),
    Mutant(
        "no metric counts an undecided label",
        "curate/evaluate/people.py",
        'pc.and_(scores["out_of_fold"], scores[self.predicted].is_valid())',
        'scores["out_of_fold"]',
        ("tests/test_agree.py",),
    ),
    Mutant(
        "no metric of a head counts an undecided label",
        "curate/score/stage.py",
        """    truth = labels.truth[labels.settled]
    metrics = classification(truth, labelled.probabilities[labels.settled], question.labels)
""",
        """    truth = labels.truth
    metrics = classification(truth, labelled.probabilities, question.labels)
""",
        ("tests/test_agree.py",),
    ),
    Mutant(
        "the interval of a skill holds 90 %",
        "curate/agree/truth/skill.py",
        "QUANTILES = (0.05, 0.95)",
        "QUANTILES = (0.25, 0.75)",
        ("tests/test_truth.py::test_the_interval_of_a_skill_by_hand",),
    ),
    Mutant(
        "doubt about the truth widens the interval of a skill",
        "curate/agree/truth/skill.py",
        "+ doubt / (2 * n**2)",
        "",
        ("tests/test_truth.py::test_the_interval_of_a_skill_by_hand",),
    ),
    Mutant(
        "the sign of a bias",
        "curate/agree/truth/ratings.py",
        "fmean(rating - mean for rating, mean in rows)",
        "fmean(mean - rating for rating, mean in rows)",
        ("tests/test_truth.py::test_ratings_show_bias",),
    ),
    Mutant(
        "the bootstrap of alpha holds 95 %",
        "curate/agree/agreement/alpha.py",
        "low, high = np.quantile(known, QUANTILES)",
        "low, high = np.quantile(known, (0.25, 0.75))",
        ("tests/test_alpha.py::test_alpha_speaks_of_these_people_or_of_others_like_them",),
    ),
    Mutant(
        "the jackknife of alpha holds 95 %",
        "curate/agree/agreement/alpha.py",
        "error = np.sqrt((n - 1) * np.var(without_each))",
        "error = np.sqrt(np.var(without_each))",
        ("tests/test_alpha.py::test_the_jackknife_by_hand",),
    ),
)

EVALUATE = (
    Mutant(
        "errors of calibration add up, whatever their sign",
        "curate/metrics.py",
        "part.documents * abs(part.confidence - part.accuracy) for part in bins",
        "part.documents * (part.confidence - part.accuracy) for part in bins",
        ("tests/test_evaluate.py::test_the_calibration_error_adds_up_whatever_its_sign",),
    ),
    Mutant(
        "the interval of a difference holds 95 %",
        "curate/evaluate/paired.py",
        "COVERED = 0.95",
        "COVERED = 0.5",
        ("tests/test_paired.py::test_by_the_draws_alone_it_is_the_t_interval_of_the_mean",),
    ),
    Mutant(
        "more seeds narrow an interval",
        "curate/evaluate/paired.py",
        "of_seeds = float(by_seed.var(ddof=1)) / len(by_seed)",
        "of_seeds = float(by_seed.var(ddof=1))",
        ("tests/test_paired.py::test_by_the_draws_alone_it_is_the_t_interval_of_the_mean",),
    ),
    Mutant(
        "the variance over documents counts",
        "curate/evaluate/paired.py",
        "half = np.hypot(_reach(of_seeds, len(by_seed) - 1), _reach(of_documents, freedom))",
        "half = _reach(of_seeds, len(by_seed) - 1)",
        ("tests/test_paired.py::test_by_the_documents_alone_it_is_the_t_interval_of_their_mean",),
    ),
    Mutant(
        "documents weigh by their bytes",
        "curate/evaluate/paired.py",
        "totals = np.bincount(self.source, self.bytes)\n        return np.asarray(self.bytes /",
        "totals = np.bincount(self.source)\n        return np.asarray(1.0 /",
        ("tests/test_paired.py::test_sources_weigh_the_same_and_documents_by_their_bytes",),
    ),
    Mutant(
        "documents vary around their own mean",
        "curate/evaluate/paired.py",
        "spread = weights * (rows - weights @ rows)",
        "spread = weights * rows",
        ("tests/test_paired.py::test_by_the_draws_alone_it_is_the_t_interval_of_the_mean",),
    ),
)

SAMPLE = (
    Mutant(
        "a propensity is a share of its stratum",
        "curate/sample/strategies.py",
        "name: shares[name] / size for name",
        "name: 1 / size for name",
        ("tests/test_sample.py::test_a_strategy_gives_rows_once_and_their_probabilities",),
    ),
    Mutant(
        "the largest remainders are rounded up",
        "curate/sample/strategies.py",
        "rest.sort(key=lambda place: int(quotas[place]) - quotas[place])",
        "rest.sort(key=lambda place: quotas[place] - int(quotas[place]))",
        ("tests/test_sample.py::test_allocate",),
    ),
    Mutant(
        "what is held out is not sampled",
        "curate/sample/frame.py",
        'pc.invert(pc.or_(table["holdout"], sent))',
        "pc.invert(sent)",
        ("tests/test_sample.py::test_the_frame_holds_what_was_kept_and_is_not_held_out",),
    ),
    Mutant(
        "the answered share of a stratum",
        "curate/rounds/standing.py",
        "shares = {name: sum(flags) / len(flags) for name, flags in strata.items()}",
        "shares = {name: 1.0 for name, flags in strata.items()}",
        ("tests/test_pull.py::test_closing_early_says_what_was_answered_of_each_stratum",),
    ),
    Mutant(
        "a skip is no answer",
        "curate/rounds/standing.py",
        """answered = {row["id"] for row in current.answers() if row["status"] == "submitted"}""",
        """answered = {row["id"] for row in current.answers()}""",
        ("tests/test_pull.py::test_a_skipped_text_is_not_answered_when_a_round_is_closed",),
    ),
    Mutant(
        "gold is not told from others by its overlap",
        "curate/push/assign.py",
        "asks = {item.id: everyone if item.id in asking_all else None for item in items}",
        "asks = {item.id: everyone for item in items}",
        ("tests/test_assign.py::test_together_asks_everyone_the_same",),
    ),
    Mutant(
        "by person, others are asked of the overlap alone",
        "curate/push/assign.py",
        "asks_everyone = item.id in asking_all or overlap is None",
        "asks_everyone = True",
        ("tests/test_assign.py::test_people_share_the_tasks_evenly_and_all_get_the_gold",),
    ),
    Mutant(
        "a window's end is moved out of a mask",
        "curate/rounds/views.py",
        "end = high if low < end < high else end",
        "end = end",
        ("tests/test_views.py::test_a_window_holds_each_mask_whole_or_not_at_all",),
    ),
    Mutant(
        "a window's start is moved out of a mask",
        "curate/rounds/views.py",
        "start = low if low < start < high else start",
        "start = start",
        ("tests/test_views.py::test_a_window_holds_each_mask_whole_or_not_at_all",),
    ),
)

CLEAN = (
    Mutant(
        "a value at its upper limit passes",
        "curate/clean/deciding.py",
        "failed |= values > np.float32(high)",
        "failed |= values >= np.float32(high)",
        ("tests/test_clean.py::test_the_first_signal_outside_its_range_is_the_reason",),
    ),
    Mutant(
        "a value at its lower limit passes",
        "curate/clean/deciding.py",
        "failed |= values < np.float32(low)",
        "failed |= values <= np.float32(low)",
        ("tests/test_clean.py::test_the_first_signal_outside_its_range_is_the_reason",),
    ),
    Mutant(
        "the precedence of copies: batch before source",
        "curate/pool/copies.py",
        "np.lexsort((row, shard, rank, batch, shard == BATCH_ONLY, low, high))",
        "np.lexsort((row, shard, batch, rank, shard == BATCH_ONLY, low, high))",
        ("tests/test_pool_batches.py::test_what_is_there_already_is_a_copy_and_its_owner_stays",),
    ),
    Mutant(
        "the pool's counts in the importance are smoothed over all buckets",
        "curate/clean/instruments/relevance.py",
        "(pool + 1) / (pool.sum() + BUCKETS)",
        "(pool + 1) / (pool.sum() + 1)",
        ("tests/test_relevance.py::test_the_importance_by_hand",),
    ),
    Mutant(
        "the target's counts in the importance are smoothed",
        "curate/clean/instruments/relevance.py",
        "np.log((target + 1) / (target.sum() * raw + 1))",
        "np.log((target + 1) / (target.sum() * raw + 2))",
        ("tests/test_relevance.py::test_a_target_that_says_nothing_says_zero",),
    ),
    Mutant(
        "shared shingles count once in a union",
        "curate/clean/duplicates/texts.py",
        "return shared / (len(both) - shared)",
        "return shared / len(both)",
        ("tests/test_duplicates.py::test_hashed_shingles_are_the_true_ones",),
    ),
    Mutant(
        "the likest is named, the earlier one where they tie",
        "curate/clean/duplicates/settling.py",
        "value > best[one]",
        "value >= best[one]",
        ("tests/test_duplicates.py::test_the_likest_is_named_and_the_earlier_one_of_two",),
    ),
    Mutant(
        "a document yields only to one that is kept",
        "curate/clean/duplicates/settling.py",
        "if chosen[other] < 0 and value > best[one]:",
        "if value > best[one]:",
        ("tests/test_duplicates.py::test_every_chain_ends_at_one_that_stays",),
    ),
    Mutant(
        "a pair at the threshold has room for chance in its bits",
        "curate/clean/duplicates/minhash.py",
        "DOUBT = 3.5",
        "DOUBT = 0.5",
        ("tests/test_duplicates.py::test_bits_tell_how_alike_two_texts_are",),
    ),
    Mutant(
        "vectors at the threshold rarely miss every band",
        "curate/clean/duplicates/meaning.py",
        "MISSED = 0.005",
        "MISSED = 0.5",
        ("tests/test_duplicates.py::test_vectors_that_are_alike_share_a_band_and_most_bits",),
    ),
    Mutant(
        "text of three tenths CJK has bigrams",
        "curate/clean/duplicates/texts.py",
        "CJK_SHARE = 0.3",
        "CJK_SHARE = 0.5",
        ("tests/test_duplicates.py::test_hashed_shingles_are_the_true_ones",),
    ),
    Mutant(
        "a letter before an ideograph is a word of its own",
        "curate/scripts.py",
        'OTHER_LETTER = rf"[^\\W_{inside(IDEOGRAPHS, HANGUL, SOUTHEAST)}]"',
        'OTHER_LETTER = rf"[^\\W_{inside(HANGUL, SOUTHEAST)}]"',
        ("tests/test_scripts.py::test_words_where_scripts_meet",),
    ),
)

KEEPING = (
    Mutant(
        "the seed of the shuffle",
        "curate/export/drawn.py",
        'chance.uniform(lines, self.seed, "shuffle")',
        'chance.uniform(lines, 0, "shuffle")',
        ("tests/test_exporting.py::test_the_lines_are_those_of_an_export_in_memory",),
    ),
    Mutant(
        "vectors of another model are unlinked",
        "curate/embed/vectors.py",
        "    for path in others:\n        path.unlink()\n",
        "",
        (
            "tests/test_embed.py::test_another_model_under_the_same_name_uses_no_vector_of_the_first",
        ),
    ),
    Mutant(
        "blocks of which no document is left are unlinked",
        "curate/embed/vectors.py",
        "(folder / storage.MANIFEST, *unused, *elsewhere)",
        "(folder / storage.MANIFEST, *elsewhere)",
        ("tests/test_embed.py::test_a_block_of_a_shard_that_no_document_needs_goes",),
    ),
    Mutant(
        "blocks of shards that are gone are unlinked",
        "curate/embed/vectors.py",
        "(folder / storage.MANIFEST, *unused, *elsewhere)",
        "(folder / storage.MANIFEST, *unused)",
        ("tests/test_embed.py::test_vectors_of_documents_that_left_the_pool_go",),
    ),
    Mutant(
        "a torn last line of the ledger is closed",
        "curate/workspace/ledger.py",
        'if file.tell() and _last_byte(file) != b"\\n":',
        "if False:",
        ("tests/test_workspace.py::test_a_torn_last_line_counts_as_not_run",),
    ),
    Mutant(
        "a takedown sweeps what a killed stage was building",
        "curate/takedown/takedown.py",
        '(workspace.root / ".building", workspace.root / ".kept")',
        '(workspace.root / ".kept",)',
        ("tests/test_remove.py::test_what_stages_were_building_or_keep_goes_too",),
    ),
    Mutant(
        "a takedown sweeps what a stage keeps for later",
        "curate/takedown/takedown.py",
        '(workspace.root / ".building", workspace.root / ".kept")',
        '(workspace.root / ".building",)',
        ("tests/test_remove.py::test_what_stages_were_building_or_keep_goes_too",),
    ),
)

INFERENCE = (
    Mutant(
        "the unanswered share corrects weights",
        "curate/rounds/design.py",
        "+ later[row.round]) / shares[row.cell]",
        "+ later[row.round]) / 1",
        ("tests/test_design.py",),
    ),
    Mutant(
        "a later round counts what earlier ones took",
        "curate/rounds/design.py",
        "if other > number) for number in parts",
        "if other > 99) for number in parts",
        ("tests/test_design.py",),
    ),
    Mutant(
        "rounds are averaged by random rows, not by all",
        "curate/rounds/design.py",
        "Counter(row.round for row in answered if not row.is_certain)",
        "Counter(row.round for row in answered)",
        ("tests/test_design.py",),
    ),
    Mutant(
        "Kish's number corrects the variance",
        "curate/inference/estimate.py",
        "variance = spread * effective / (effective - 1) if",
        "variance = spread if",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "weights enter the variance squared",
        "curate/inference/estimate.py",
        "(shares**2 * left *",
        "(shares * left *",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "what has been seen does not vary",
        "curate/inference/estimate.py",
        "np.clip(1 - 1 / np.maximum(weights, 1e-300), 0, 1)",
        "np.clip(1 - 0 / np.maximum(weights, 1e-300), 0, 1)",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "an interval reaches to both sides",
        "curate/inference/estimate.py",
        "t.ppf((1 + LEVEL) / 2,",
        "t.ppf(LEVEL,",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "labels have a variance of their own",
        "curate/inference/design.py",
        "((weights / total) ** 2 * variances).sum()",
        "((weights / total) ** 2 * 0 * variances).sum()",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "certain rows say nothing of the rest of a draw",
        "curate/inference/groups.py",
        "(labelled.weights - 1).clip(0)",
        "labelled.weights",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "labelled documents count in a draw as known",
        "curate/inference/groups.py",
        "(float(drawn @ labelled.truth) + rest.predicted)",
        "(float(drawn @ labelled.predicted) + rest.predicted)",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "the unseen truth varies",
        "curate/inference/groups.py",
        "residual.variance + rest.variance / total**2",
        "residual.variance",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "a label's variance enters a share twice, squared once",
        "curate/inference/groups.py",
        "((unseen * shares + drawn / total) ** 2)",
        "((unseen * shares) ** 2 + (drawn / total) ** 2)",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "the residual of a draw counts for the unlabelled part",
        "curate/inference/groups.py",
        "+ unseen * correction",
        "+ correction",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "trust is a slope of centred values",
        "curate/inference/powered.py",
        "values = values - weights @ values / total",
        "values = values - 0 * weights @ values / total",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "trust takes predictions from all and from the labelled",
        "curate/inference/powered.py",
        "trust * mean_of_all + mean.value",
        "mean_of_all + mean.value",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "the prevalence is divided out of the votes",
        "curate/inference/joint.py",
        "prevalence = votes.mean(axis=0)",
        "prevalence = votes.mean(axis=0) * 0 + 1",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "the votes are never a product",
        "curate/inference/joint.py",
        "truth = product(votes, predicted)",
        "truth = product(truth, predicted)",
        ("tests/test_inference.py",),
    ),
    Mutant(
        "ratings are pooled within texts by their freedom",
        "curate/inference/joint.py",
        "float((votes - 1).sum())",
        "float(votes.sum())",
        ("tests/test_inference.py",),
    ),
)

MUTANTS = (*MIXTURE, *CHANCE, *AGREE, *SCORE, *EVALUATE, *SAMPLE, *CLEAN, *KEEPING, *INFERENCE)
