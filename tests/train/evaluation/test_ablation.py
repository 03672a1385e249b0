from train.evaluation.ablation import AblationRow, settings_tree, table


def test_what_is_a_list_is_given_with_a_plus_and_empty_without_anything():
    tree = {"without": ["hand"], "weights": (1.0, 1.0), "loss": {"gamma": 1.0}}
    given = {"": [], "blink": ["blink"], "gaze + turn": ["gaze", "turn"]}
    assert {value: settings_tree(tree, "without", value)["without"] for value in given} == given
    assert settings_tree(tree, "weights", "1+1.5") == {"weights": [1, 1.5]}
    assert settings_tree(tree, "loss.gamma", "2") == {"loss": {"gamma": 2}}


def test_the_table_gives_mean_and_deviation_over_the_seeds_of_each_setting():
    scores = {"patent": [(0.9, 0.5), (0.94, 0.7)], "cmnet": [(0.8, 0.6), (0.8, 0.6)]}
    rows = [
        AblationRow({"head": head}, seed, {"final_uf1": final, "early_uf1": early, "final_accuracy": 1.0})
        for head, each in scores.items()
        for seed, (final, early) in enumerate(each)
    ]
    assert table(rows) == [
        "| head | at the offset | at the apex |",
        "| --- | --- | --- |",
        "| patent | 0.920 ± 0.028 | 0.600 ± 0.141 |",
        "| cmnet | 0.800 ± 0.000 | 0.600 ± 0.000 |",
    ]
    assert table(rows[:1])[-1] == "| patent | 0.900 | 0.500 |"  # one training has no deviation


def test_the_table_shows_what_a_method_measures():
    spotted = {"f1": 0.5, "apex_error_median_ms": 9.0, "false_per_minute": 2.0, "false_per_minute_on_blink": 1.0}
    equal = {"equal_false_per_minute": 3.0, "equal_false_per_minute_on_blink": 0.25, "early_recall": 0.75}
    rows = [
        AblationRow({"without": ""}, 1, spotted | equal),
        AblationRow({"without": "blink"}, 1, spotted | {"early_recall": 1.0}),
    ]
    assert table(rows) == [
        "| without | F1 | false a minute | false at equal recall | on blink |",
        "| --- | --- | --- | --- | --- |",
        "| none | 0.500 | 2.000 | 3.000 | 0.250 |",
        "| blink | 0.500 | 2.000 | - | - |",  # which never finds as many
        "",
        "| without | told at the apex |",
        "| --- | --- |",
        "| none | 0.750 |",
        "| blink | 1.000 |",
    ]
    judged = {"final_uf1": 0.9, "early_uf1": 0.8, "kept": 0.7, "rejected_rest": 0.6, "rejected_none": 0.5}
    assert table([AblationRow({"exact.share": "0"}, 1, judged)])[0] == (
        "| exact.share | at the offset | at the apex | kept | rest rejected | none rejected |"
    )
